/** A backfill in a process of its own: `node backfill-process.js URL OPTIONS`. */
import { backfill } from '../../src/backfill/index.js'
import { connect } from '../../src/db/index.js'
import { Subscription } from './subscription.js'

const [url = '', options = '{}'] = process.argv.slice(2)
const database = await connect({ url, applicationName: 'eventward-child' })
try {
  const result = await backfill(database, Subscription, JSON.parse(options))
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await database.close()
}
