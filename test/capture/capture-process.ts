/**
 * Capture on or off in a process of its own, which kills itself ahead of the n-th statement that contains a text:
 * `node capture-process.js URL on|off|restart TEXT N`.
 */
import { backfill } from '../../src/backfill/index.js'
import { captureOff, captureOn } from '../../src/capture/index.js'
import { connect } from '../../src/db/index.js'
import { interpose } from '../support/interpose.js'
import { Subscription } from '../support/subscription.js'

const [url = '', step = '', text = '', nth = '1'] = process.argv.slice(2)
const database = await connect({ url, applicationName: 'eventward-child' })
let met = 0
const doomed = interpose(database, async (statement) => {
  if (!statement.includes(text)) return
  met += 1
  if (met < Number(nth)) return
  process.kill(process.pid, 'SIGKILL')
  // It never gets further than this.
  await new Promise(() => undefined)
})
if (step === 'restart') await backfill(doomed, Subscription, { restart: true, confirm: 'subscriptions' })
else await (step === 'on' ? captureOn : captureOff)(doomed, Subscription)
await database.close()
