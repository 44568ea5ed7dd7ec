import { dirname, join } from 'node:path'
import { GateError } from '../../src/errors/index.js'
import { checkTables, generateTables, type TableChange, writeGenerated } from '../../src/init/index.js'
import { command, type Outcome } from '../command.js'
import { plural } from '../render/quantity.js'

/** `eventward generate` */
export const generate = command({
  usage: 'generate',
  summary: 'Write eventward.tables.ts afresh from the catalog',
  examples: [['$0 generate --check', 'For CI: fails where the catalog has moved']],
  options: {
    check: { type: 'boolean', default: false, describe: 'Write nothing; fail where the catalog has moved' },
  },
  async run(args, host) {
    const config = await host.config()
    const file = join(dirname(config.path), 'eventward.tables.ts')
    return host.withDatabase(config, (database) =>
      database.session(async (session) => {
        if (args.check) {
          const { changes, unlisted } = await checkTables(session, config.schemas, file)
          return checked(file, changes, unlisted)
        }
        const { outcome } = await writeGenerated(file, await generateTables(session, config.schemas))
        const text = () => (outcome === 'same' ? `${file} is up to date` : `wrote ${file}`)
        return { ok: true, members: { file, outcome }, text }
      }),
    )
  },
})

function checked(file: string, changes: readonly TableChange[], unlisted: readonly string[]): Outcome {
  const lines = changes.map(
    ({ table, column, change }) => `✗ ${table}${column === null ? '' : `.${column}`} ${change}`,
  )
  const members = { file, changes, unlisted }
  if (changes.length === 0) return { ok: true, members, text: () => `✓ ${file} agrees with the catalog` }
  const error = new GateError(
    'EW_TABLES_MOVED',
    `${file}: ${plural(changes.length, 'difference')} from the catalog`,
    {
      next: 'Run `eventward generate`, and look at the definitions of these tables.',
      details: { file },
    },
  )
  return { ok: false, members, text: () => lines.join('\n'), error }
}
