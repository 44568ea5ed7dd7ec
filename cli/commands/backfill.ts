import { type BackfillResult, backfillAll } from '../../src/backfill/index.js'
import { GateError, shellWord } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { command, type Outcome } from '../command.js'
import { keptResults } from '../kept-results.js'
import { TABLES, wholeNumber } from '../options.js'
import { backfillText } from '../render/backfill-text.js'

/** `eventward backfill` */
export const backfill = command({
  usage: 'backfill [table..]',
  summary: 'Write the events that explain each row. Takes no row locks; run again, it goes on where it was',
  examples: [
    ['$0 backfill subscriptions --workers 2', ''],
    ['$0 backfill subscriptions --dry-run', 'Counts what would be written; READ ONLY'],
    ['$0 backfill orders --restart --confirm orders', 'Archives its events and writes them anew'],
  ],
  options: {
    table: TABLES,
    workers: { ...wholeNumber('workers', 'Slices at work at the same time'), default: 2 },
    'max-rate': wholeNumber('max-rate', 'Rows per second at the most'),
    'dry-run': { type: 'boolean', default: false, describe: 'Write nothing' },
    restart: {
      type: 'boolean',
      default: false,
      describe: 'Archive the events of a table and write them anew',
    },
    confirm: { type: 'string', requiresArg: true, describe: 'The table that may be restarted, by name' },
  },
  async run(args, host) {
    const config = await host.config()
    const definitions = selectAggregates(config, args.table)
    const workers = Number(args.workers)
    return keptResults<BackfillResult>(async (onResult) => {
      const options = {
        workers,
        dryRun: args['dry-run'],
        restart: args.restart,
        events: config.events,
        signal: host.signal,
        onProgress: host.progress.update,
        onResult,
        ...(args['max-rate'] === undefined ? {} : { maxRate: Number(args['max-rate']) }),
        ...(args.confirm === undefined ? {} : { confirm: args.confirm }),
      }
      await host.withDatabase(config, (database) => backfillAll(database, definitions, options), {
        max: workers + 2,
        stopsItself: true,
      })
    }, outcomeOf)
  },
})

function outcomeOf(tables: readonly BackfillResult[]): Outcome {
  const names = tables.map(({ table }) => shellWord(table)).join(' ')
  const next = tables.some(({ dryRun }) => dryRun)
    ? `eventward backfill ${names}`
    : `eventward verify ${names}`
  const unfinished = tables.filter(({ complete, dryRun }) => !complete && !dryRun)
  const result = { members: { tables, next }, text: () => backfillText(tables, next) }
  if (unfinished.length === 0) return { ok: true, ...result }
  const left = unfinished.map(({ table }) => table)
  const error = new GateError('EW_BACKFILL_LEFT', `${left.join(', ')}: some rows could not be taken`, {
    next: `Look at the errors above, and run \`eventward backfill ${left.map(shellWord).join(' ')}\` again.`,
    details: { tables: left },
  })
  return { ok: false, ...result, error }
}
