import { type AdoptResult, adopt as adoptTable } from '../../src/adopt/index.js'
import { UsageError } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { TABLE } from '../options.js'
import { adoptText } from '../render/adopt-text.js'
import { lockText } from '../render/capture-text.js'

/** `eventward adopt` */
export const adopt = command({
  usage: 'adopt <table>',
  summary:
    'Take over a schema change that the application has made: columns added, renamed, dropped, retyped',
  examples: [
    ['$0 adopt subscriptions --dry-run', 'What has moved since its events were written'],
    ['$0 adopt subscriptions', 'Events are read by it from now on; a full verify must follow'],
    ['$0 adopt subscriptions --default origin=web', 'Where the catalog does not tell what old rows got'],
  ],
  options: {
    table: TABLE,
    default: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'COLUMN=VALUE: what rows that were there got in an added column; COLUMN alone: NULL',
    },
    'dry-run': { type: 'boolean', default: false, describe: 'Show what would be adopted, change nothing' },
  },
  async run(args, host) {
    const config = await host.config()
    const definition = selectAggregates(config, [args.table])[0]!
    const defaults = defaultsOf(args.default ?? [])
    const result = await host.withDatabase(
      config,
      (database): Promise<AdoptResult> =>
        adoptTable(database, definition, {
          events: config.events,
          defaults,
          dryRun: args['dry-run'],
          signal: host.signal,
          onProgress: (progress) => host.notice(lockText(progress)),
        }),
      { stopsItself: true },
    )
    return { ok: true, members: { tables: [result] }, text: () => adoptText(result, host.io.stdout) }
  },
})

function defaultsOf(given: readonly string[]): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    given.map((option) => {
      const at = option.indexOf('=')
      const column = at === -1 ? option : option.slice(0, at)
      if (column === '')
        throw new UsageError('EW_USAGE', `--default ${option} names no column`, {
          next: 'Write --default COLUMN=VALUE, or --default COLUMN for NULL.',
        })
      return [column, at === -1 ? null : option.slice(at + 1)]
    }),
  )
}
