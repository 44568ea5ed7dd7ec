import { setTimeout as sleep } from 'node:timers/promises'
import { backfill } from '../../backfill/index.js'
import { captureOn } from '../../capture/index.js'
import { advance, type CutoverResult, rollback } from '../../cutover/index.js'
import { takeTicket } from '../reconcile-load.js'
import { configOf, type DemoContext, type Planned, TABLE } from './step-context.js'

/** Capture on and the backfill, beside the writers. */
export function captureSteps(context: DemoContext): readonly Planned[] {
  const { database } = context
  return [
    {
      name: 'capture',
      command: `eventward capture on ${TABLE}`,
      says: 'From now on each write appends its events in its own transaction. The writers know nothing of it.',
      work: async () => {
        const { config, definition } = await configOf(context)
        const from = await takeTicket(database)
        const table = await captureOn(database, definition, { events: config.events })
        context.captured = { from, to: await takeTicket(database) }
        return {
          found: { kind: 'captured', table },
          problems: table.capture === 'on' ? [] : ['capture is not on'],
        }
      },
    },
    {
      name: 'backfill',
      command: `eventward backfill ${TABLE} --workers 2`,
      says: 'Each other row becomes the events that explain it; two workers, no row locks, the writers go on.',
      work: async () => {
        const { config, definition } = await configOf(context)
        const table = await backfill(database, definition, { workers: 2, events: config.events })
        return {
          found: { kind: 'backfilled', table },
          problems: table.complete ? [] : ['it is not complete'],
        }
      },
    },
  ]
}

/** There, commands, back, and there again. */
export function cutoverSteps(context: DemoContext): readonly Planned[] {
  const { database, folder, load, signal } = context
  const stops = signal === undefined ? {} : { signal }
  const flip = (
    name: string,
    says: string,
    to: CutoverResult['to'],
    work: typeof advance | typeof rollback,
  ): Planned => ({
    name,
    command: `eventward cutover ${TABLE} ${name.split(' ')[0]}`,
    says,
    work: async () => {
      const { config, definition } = await configOf(context)
      // Short pauses: whoever runs the demo waits.
      const result = await work(database, definition, { ...stops, events: config.events, pauseMs: 500 })
      await settle()
      return { found: { kind: 'cutover', result }, problems: flipProblems(result, to) }
    },
  })
  /** Lets the writers meet what was changed. */
  const settle = () => sleep(1_500, undefined, { signal })
  return [
    flip('advance', 'The events become the truth, under a lock of a moment.', 'event_first', advance),
    {
      name: 'commands',
      command: null,
      says: 'Two of the writers are moved to commands; the other two go on in plain SQL.',
      work: async () => {
        const { commands: before } = await load.ledger()
        await load.useCommands(folder)
        await sleep(3_000, undefined, { signal })
        const { commands } = await load.ledger()
        const calls = commands - before
        return { found: { kind: 'commands', calls }, problems: calls > 0 ? [] : ['no command was called'] }
      },
    },
    flip(
      'rollback',
      'The way back: the rows were kept true all along. Commands go on.',
      'dual_write',
      rollback,
    ),
    flip('advance again', 'And there again.', 'event_first', advance),
  ]
}

function flipProblems({ ok, to, gate, differences }: CutoverResult, wanted: string): readonly string[] {
  if (ok && to === wanted) return []
  const closed = gate.filter((check) => !check.ok).map(({ name, detail }) => `${name}: ${detail}`)
  return [`it is ${to} instead of ${wanted}, ${differences.length} differences`, ...closed]
}
