import { GateError, shellWord, UsageError } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import {
  type Repair,
  type VerifiedTable,
  type VerifyProgress,
  type VerifyResult,
  verify as verifyTable,
} from '../../src/verify/index.js'
import { command, type Outcome } from '../command.js'
import type { Output } from '../io.js'
import { keptResults } from '../kept-results.js'
import { TABLES, wholeNumber } from '../options.js'
import { plural } from '../render/quantity.js'
import { repairText } from '../render/repair-text.js'
import { verifyText } from '../render/verify-text.js'

/** `eventward verify` */
export const verify = command({
  usage: 'verify [table..]',
  summary: 'Prove that the events explain every row, column by column, both ways round',
  examples: [
    ['$0 verify subscriptions', 'By SQL, on the server'],
    ['$0 verify subscriptions --engine replay', 'By the TypeScript fold; both must agree'],
    ['$0 verify subscriptions --open --repair --dry-run', 'The events that would mend what was found before'],
  ],
  options: {
    table: TABLES,
    engine: {
      type: 'string',
      choices: ['sql', 'replay'],
      describe: 'Which fold proves; sql, unless code says what an event does',
    },
    open: {
      type: 'boolean',
      default: false,
      describe: 'Look again at the differences found before, at nothing else',
    },
    repair: {
      type: 'boolean',
      default: false,
      describe: 'Append the events that differences lack, each row updated to itself, and look again',
    },
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'With --repair: show the events, append nothing',
    },
    'keys-only': { type: 'boolean', default: false, describe: 'Name keys and columns, but no value' },
    workers: { ...wholeNumber('workers', 'Ranges checked at the same time'), default: 2 },
  },
  async run(args, host) {
    if (args['dry-run'] && !args.repair)
      throw new UsageError('EW_USAGE', '--dry-run says what --repair would do, and stands alone here', {
        next: 'Write --repair --dry-run; verify alone changes nothing.',
      })
    const config = await host.config()
    const workers = Number(args.workers)
    const definitions = selectAggregates(config, args.table)
    const options = {
      ...(args.engine === 'replay' || args.engine === 'sql' ? { engine: args.engine } : {}),
      workers,
      open: args.open,
      keysOnly: args['keys-only'],
      ...(args.repair ? { repair: args['dry-run'] ? ('dry' as const) : ('now' as const) } : {}),
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
  const repairs = results.flatMap(({ repairs: done = [] }) => done)
  const failed = tables.filter(({ clean }) => !clean)
  const asked = results.some(({ repairs: done }) => done !== undefined)
  const members = { tables, differences, ...(asked ? { repairs } : {}) }
  const text = () =>
    [verifyText(tables, differences, stream), ...(asked ? [repairText(repairs, stream)] : [])].join('\n')
  if (failed.length === 0) return { ok: true, members, text }
  const total = failed.reduce((sum, table) => sum + BigInt(table.differences), 0n)
  const names = failed.map(({ table }) => table)
  const error = new GateError(
    'EW_DIFFERENCES',
    `${names.join(', ')}: ${plural(total.toString(), 'difference')}`,
    {
      next: nextOf(failed, repairs),
      details: { tables: names },
    },
  )
  return { ok: false, members, text, error }
}

function nextOf(failed: readonly VerifiedTable[], repairs: readonly Repair[]): string {
  const names = failed.map(({ table }) => shellWord(table)).join(' ')
  if (failed.some(({ notice }) => notice !== undefined)) return `Run \`eventward backfill ${names}\` first.`
  const moved = failed.find((table) => table.moved !== undefined)
  if (moved !== undefined)
    return `Columns moved (${moved.moved}): run \`eventward adopt ${shellWord(moved.table)}\`, then verify again.`
  const left = repairs.find(({ next }) => next !== undefined)
  if (left?.next !== undefined) return left.next
  if (repairs.length > 0) return `Mend them: \`eventward verify ${names} --open --repair\`.`
  return `They are kept: see what would mend them with \`eventward verify ${names} --open --repair --dry-run\`.`
}
