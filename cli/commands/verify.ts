import { GateError, shellWord } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { type VerifyProgress, type VerifyResult, verify as verifyTable } from '../../src/verify/index.js'
import { command, type Outcome } from '../command.js'
import type { Output } from '../io.js'
import { keptResults } from '../kept-results.js'
import { TABLES, wholeNumber } from '../options.js'
import { plural } from '../render/quantity.js'
import { verifyText } from '../render/verify-text.js'

/** `eventward verify` */
export const verify = command({
  usage: 'verify [table..]',
  summary: 'Prove that the events explain every row, column by column, both ways round',
  examples: [
    ['$0 verify subscriptions', 'By SQL, on the server'],
    ['$0 verify subscriptions --engine replay', 'By the TypeScript fold; both must agree'],
  ],
  options: {
    table: TABLES,
    engine: { type: 'string', choices: ['sql', 'replay'], default: 'sql', describe: 'Which fold proves' },
    open: {
      type: 'boolean',
      default: false,
      describe: 'Look again at the differences found before, at nothing else',
    },
    'keys-only': { type: 'boolean', default: false, describe: 'Name keys and columns, but no value' },
    workers: { ...wholeNumber('workers', 'Ranges checked at the same time'), default: 2 },
  },
  async run(args, host) {
    const config = await host.config()
    const workers = Number(args.workers)
    const definitions = selectAggregates(config, args.table)
    const options = {
      engine: args.engine === 'replay' ? ('replay' as const) : ('sql' as const),
      workers,
      open: args.open,
      keysOnly: args['keys-only'],
      events: config.events,
      signal: host.signal,
      onProgress: ({ table, rows, events }: VerifyProgress) =>
        host.progress.update({ table, rows, events, total: null, estimate: false }),
    }
    return keptResults<VerifyResult>(
      (onResult) =>
        host.withDatabase(
          config,
          async (database) => {
            for (const definition of definitions) onResult(await verifyTable(database, definition, options))
          },
          { max: workers + 2, stopsItself: true },
        ),
      (results) => outcomeOf(results, host.io.stdout),
    )
  },
})

function outcomeOf(results: readonly VerifyResult[], stream: Output): Outcome {
  const tables = results.map(({ table }) => table)
  const differences = results.flatMap(({ differences: found }) => found)
  const failed = tables.filter(({ clean }) => !clean)
  const members = { tables, differences }
  const text = () => verifyText(tables, differences, stream)
  if (failed.length === 0) return { ok: true, members, text }
  const total = failed.reduce((sum, table) => sum + BigInt(table.differences), 0n)
  const names = failed.map(({ table }) => table)
  const error = new GateError(
    'EW_DIFFERENCES',
    `${names.join(', ')}: ${plural(total.toString(), 'difference')}`,
    {
      next: failed.some(({ notice }) => notice !== undefined)
        ? `Run \`eventward backfill ${names.map(shellWord).join(' ')}\` first.`
        : `They are kept; look at them again with \`eventward verify ${names.map(shellWord).join(' ')} --open\`.`,
      details: { tables: names },
    },
  )
  return { ok: false, members, text, error }
}
