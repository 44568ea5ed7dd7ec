/** A process of its own that migrates: `node migrate-process.js URL`. Prints the result as JSON. */
import { migrateUp } from '../../src/migrate/index.js'

const result = await migrateUp({
  url: process.argv[2],
  events: { schema: 'public', table: 'events' },
  onWait: (holder) => process.stderr.write(`waiting for ${holder}\n`),
})
process.stdout.write(JSON.stringify(result))
