import type { DemoFound } from '../demo-step.js'
import type { Told } from '../load/messages.js'
import { type Reconciled, reconcileLoad } from '../reconcile-load.js'
import { configOf, type DemoContext, type Planned } from './step-context.js'

/** The last word: the writers have stopped, and ledger, rows and folded events must be the same. */
export function ledgerStep(context: DemoContext): Planned {
  const { database, load, before } = context
  return {
    name: 'ledger',
    command: null,
    says: 'The ledgers of all writers = the rows = the folded events, at the end and at every moment before.',
    work: async () => {
      const { config, definition } = await configOf(context)
      const told = await load.ledger()
      const reconciled = await reconcileLoad(database, definition, {
        before,
        writes: told.writes,
        captured: context.captured ?? { from: 0n, to: 0n },
        events: config.events,
      })
      return { found: ledgerFound(told, reconciled), problems: ledgerProblems(told, reconciled) }
    },
  }
}

/** What writers tell and what became of it, without the rows. Pure. */
export function ledgerFound({ writes, ...told }: Told, reconciled: Reconciled): DemoFound {
  return { kind: 'ledger', told: { ...told, writes: writes.length }, reconciled }
}

/** What of it is not as it must be. Pure. */
export function ledgerProblems(told: Told, reconciled: Reconciled): readonly string[] {
  const { rowsDiffer, lost, doubled, differ, examples } = reconciled
  const counted: readonly (readonly [number, string])[] = [
    [rowsDiffer, 'rows are not what the ledger says'],
    [lost, 'writes left no event'],
    [doubled, 'events without a write, or twice for one'],
    [differ, 'moments at which the events fold to another row'],
    [told.errors, 'errors that the application did not expect'],
  ]
  const wrong = counted.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const nothing = told.writes.length === 0 ? ['nobody wrote anything'] : []
  return [...nothing, ...wrong, ...(wrong.length > 0 ? [...examples, ...told.errorTexts] : [])]
}
