import {
  advance,
  type CutoverAction,
  type CutoverOptions,
  type CutoverResult,
  complete,
  cutoverStatus,
  opens,
  rehearse,
  rollback,
} from '../../src/cutover/index.js'
import type { Database } from '../../src/db/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { GateError, shellWord } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { command, type Outcome } from '../command.js'
import { consent } from '../consent.js'
import { TABLE, wholeNumber } from '../options.js'
import { cutoverProgressText, cutoverText } from '../render/cutover-text.js'
import { plural } from '../render/quantity.js'

const ACTIONS = ['status', 'rehearse', 'advance', 'rollback', 'complete'] as const

/** `eventward cutover` */
export const cutover = command({
  usage: 'cutover <table> <action>',
  summary: 'Make a table’s events its truth, behind a gate; and the way back, at once',
  examples: [
    ['$0 cutover subscriptions status', 'Where it stands, and what the gate would say'],
    ['$0 cutover subscriptions advance', 'dual_write -> event_first'],
    ['$0 cutover subscriptions rollback', 'event_first -> dual_write, without a gate'],
  ],
  options: {
    table: TABLE,
    action: {
      type: 'string',
      choices: ACTIONS,
      demandOption: true,
      describe: 'status, rehearse, advance, rollback or complete',
    },
    confirm: {
      type: 'string',
      requiresArg: true,
      describe: 'The table, by name: advance and complete want it where nobody can be asked',
    },
    'lock-timeout': wholeNumber(
      'lock-timeout',
      'How long writers may be kept waiting, in ms; lockTimeout of the configuration where none is given',
    ),
  },
  async run(args, host) {
    const config = await host.config()
    const [definition] = selectAggregates(config, [args.table]) as readonly [AggregateDefinition]
    const action = args.action as CutoverAction
    const options: CutoverOptions = {
      events: config.events,
      freshnessSeconds: config.freshnessSeconds,
      lockTimeoutMs: Number(args['lock-timeout'] ?? config.lockTimeoutMs),
      signal: host.signal,
      onProgress: (progress) => host.notice(cutoverProgressText(progress), progress),
    }
    // Nobody types the name of a table for a refusal.
    const isRefused = async (database: Database) =>
      host.io.interactive &&
      args.confirm === undefined &&
      !opens((await cutoverStatus(database, definition, options)).gate)
    return host.withDatabase(
      config,
      async (database) => {
        const leads = LEADS[action]
        if (leads !== undefined && !(await isRefused(database)))
          await consent(host, database, {
            table: definition.table,
            what: `${action} (${leads})`,
            confirm: args.confirm,
          })
        return outcomeOf(await WORK[action](database, definition, options))
      },
      { stopsItself: true },
    )
  },
})

const WORK = { status: cutoverStatus, rehearse, advance, rollback, complete } as const

/** Where a step leads that wants consent. */
const LEADS: Readonly<Partial<Record<CutoverAction, string>>> = {
  advance: 'dual_write → event_first',
  complete: 'event_first → complete, without a way back',
}

function outcomeOf(result: CutoverResult): Outcome {
  const { table, action, ok, gate, differences } = result
  const ready = gate.length > 0 && gate.every((check) => check.ok)
  const shown = { members: { tables: [{ ...result, ready }], differences }, text: () => cutoverText(result) }
  if (ok) return { ok: true, ...shown }
  if (differences.length > 0) {
    const back = action === 'rollback' ? 'it is dual_write again, but ' : ''
    const error = new GateError(
      'EW_DIFFERENCES',
      `${table}: ${back}${plural(differences.length, 'stream')} written to since the last verify do not fold to their rows`,
      {
        next: `They are kept; look at them again with \`eventward verify ${shellWord(table)} --open\`.`,
        details: { table },
      },
    )
    return { ok: false, ...shown, error }
  }
  const closed = gate.filter((check) => !check.ok)
  const error = new GateError(
    'EW_GATE_REFUSED',
    `${table}: ${action} is refused by ${plural(closed.length, 'check')}; nothing was changed`,
    {
      next: closed[0]?.next ?? 'Look at the checks above.',
      details: { table, checks: closed.map(({ name }) => name) },
    },
  )
  return { ok: false, ...shown, error }
}
