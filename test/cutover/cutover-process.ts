/**
 * A step in a process of its own, which kills itself ahead of the n-th statement that contains a text:
 * `node cutover-process.js URL STEP TEXT N`.
 */
import { advance, rollback } from '../../src/cutover/index.js'
import { connect } from '../../src/db/index.js'
import { interpose } from '../support/interpose.js'
import { Subscription } from '../support/subscription.js'

const [url = '', step = '', text = '', nth = '1'] = process.argv.slice(2)
const database = await connect({ url, applicationName: 'eventward-child' })
let met = 0
const doomed = interpose(database, async (statement) => {
  if (!statement.includes(text)) return
  met += 1
  if (met === Number(nth)) process.kill(process.pid, 'SIGKILL')
  // It never gets further than this.
  if (met === Number(nth)) await new Promise(() => undefined)
})
await (step === 'advance' ? advance : rollback)(doomed, Subscription)
await database.close()
