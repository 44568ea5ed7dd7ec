/**
 * An export or import in a process of its own, which kills itself ahead of the n-th statement that contains a text:
 * `node transfer-process.js URL export|import FILE TEXT N`.
 */
import { connect } from '../../src/db/index.js'
import { exportEvents, importEvents } from '../../src/transfer/index.js'
import { interpose } from '../support/interpose.js'
import { Department, Employee } from './staff.js'

const [url = '', step = '', file = '', text = '', nth = '1'] = process.argv.slice(2)
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
const definitions = [Department, Employee]
if (step === 'export') await exportEvents(doomed, definitions, { out: file, pageSize: 20 })
else await importEvents(doomed, definitions, { from: file, pageSize: 20 })
await database.close()
