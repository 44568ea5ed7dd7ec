/** A replay in a process of its own: `node replay-process.js URL KILL_AFTER`. It kills itself within that page. */
import { applicationKnex } from '../../src/db/index.js'
import { replay } from '../../src/project/index.js'
import { perSubscription } from './per-subscription.js'

const [, , url = '', after = '0'] = process.argv
const knex = applicationKnex({ url, applicationName: 'replay-child', max: 2 })
let events = 0
const projection = perSubscription({
  onEvent: () => {
    events += 1
    if (events > Number(after)) process.kill(process.pid, 'SIGKILL')
  },
})
await replay(knex, projection, { pageSize: 50 })
await knex.destroy()
