import {
  type CaptureOptions,
  type CaptureResult,
  type CaptureStatus,
  captureAll,
  captureStatus,
} from '../../src/capture/index.js'
import { GateError, shellWord, UsageError } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { command, type Outcome } from '../command.js'
import { errorMember } from '../document.js'
import type { Output } from '../io.js'
import { TABLES, wholeNumber } from '../options.js'
import { captureStatusText, captureText, lockText } from '../render/capture-text.js'

/** `eventward capture on`, `off` and `status` */
export const capture = command({
  usage: 'capture <action> [table..]',
  summary: 'Turn the triggers that write events beside each write on or off, or say how they are',
  examples: [
    ['$0 capture on subscriptions', 'In one transaction; run again, it mends what is not as it should be'],
    ['$0 capture on --all', 'All tables of the configuration, one after the other'],
    ['$0 capture off subscriptions', 'Withdraws "backfill complete": later writes have no events'],
  ],
  options: {
    action: { type: 'string', demandOption: true, choices: ['on', 'off', 'status'] },
    table: TABLES,
    all: { type: 'boolean', default: false, describe: 'on, off: every table of the configuration' },
    'lock-timeout': wholeNumber(
      'lock-timeout',
      "How long writers may queue behind a try to lock the table, in ms; the configuration's lockTimeout, or 400, where none is given",
    ),
  },
  async run(args, host) {
    const config = await host.config()
    const names = args.table ?? []
    if (args.action !== 'status') requireTables(args.action, names, args.all)
    const definitions = selectAggregates(config, names)
    if (args.action === 'status') {
      const tables = await host.withDatabase(config, (database) =>
        database.session((session) =>
          session.transaction({ readOnly: true }, async () => {
            const all: CaptureStatus[] = []
            for (const definition of definitions) all.push(await captureStatus(session, definition))
            return all
          }),
        ),
      )
      return statusOutcome(tables, host.io.stdout)
    }
    const options: CaptureOptions = {
      events: config.events,
      signal: host.signal,
      onProgress: (progress) => host.notice(lockText(progress)),
      lockTimeoutMs: Number(args['lock-timeout'] ?? config.lockTimeoutMs),
    }
    const action = args.action === 'on' ? ('on' as const) : ('off' as const)
    const results = await host.withDatabase(
      config,
      (database) => captureAll(database, definitions, action, options),
      { stopsItself: true },
    )
    return outcomeOf(results, action, host.io.stdout)
  },
})

/** A phase of every table is no slip of the finger: `--all` says so. */
function requireTables(action: string, names: readonly string[], all: boolean): void {
  if (all === names.length > 0) {
    throw new UsageError(
      'EW_USAGE',
      all ? '--all and the name of a table exclude each other' : `capture ${action} of which table?`,
      { next: `Name the tables, or write \`eventward capture ${action} --all\`.` },
    )
  }
}

function statusOutcome(tables: readonly CaptureStatus[], stream: Output): Outcome {
  const broken = tables.filter((one) => one.capture === 'broken')
  const result = { members: { tables }, text: () => captureStatusText(tables, stream) }
  if (broken.length === 0) return { ok: true, ...result }
  const names = broken.map(({ table }) => table)
  const error = new GateError('EW_CAPTURE_BROKEN', `${names.join(', ')}: writes may pass unseen`, {
    next: broken[0]?.problems[0]?.next ?? `eventward capture on ${names.map(shellWord).join(' ')}`,
    details: { tables: names },
  })
  return { ok: false, ...result, error }
}

type Results = Awaited<ReturnType<typeof captureAll>>

function outcomeOf(results: Results, action: 'on' | 'off', stream: Output): Outcome {
  const tables = results.map((one) =>
    'error' in one ? { table: one.table, error: errorMember(one.error) } : one,
  )
  const done = results.filter((one): one is CaptureResult => !('error' in one))
  const failed = results.flatMap((one) => ('error' in one ? [one] : []))
  const next =
    action === 'on' && done.length > 0
      ? `eventward backfill ${done.map(({ table }) => shellWord(table)).join(' ')}`
      : null
  const result = { members: { tables, next }, text: () => captureText(results, next, stream) }
  const [first] = failed
  if (first === undefined) return { ok: true, ...result }
  return { ok: false, ...result, error: first.error }
}
