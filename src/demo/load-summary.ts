import type { DemoStep, LedgerCounts } from './demo-step.js'
import type { Latencies } from './load/messages.js'
import type { Reconciled } from './reconcile-load.js'

/** What the application's writers did and saw over the whole demo, and what of it is wrong. */
export interface LoadSummary extends LedgerCounts {
  /** Rows that are not what the ledger says. */
  readonly rowsDiffer: number
  /** Committed writes that left no event. */
  readonly lost: number
  /** Events without a write, or twice for one. */
  readonly doubled: number
  /** Moments at which the events fold to another row than the writer saw, of how many. */
  readonly differ: number
  readonly moments: number
  /** Before there was anything of ours. */
  readonly withoutUs: Latencies
  /** The longest transaction of any writer while the table was moved, in ms, and the step in which it was. */
  readonly longestWaitMs: number
  readonly longestWaitIn: string
  /** Each time that the table was locked. */
  readonly locks: readonly DemoLock[]
}

export interface DemoLock {
  readonly step: string
  readonly attempts: number
  readonly lockedMs: number | null
}

/** Of all steps; null where the demo did not come to its last word. Pure. */
export function summaryOf(steps: readonly DemoStep[]): LoadSummary | null {
  const ledgers = steps.flatMap(({ found, writers }) =>
    found.kind === 'ledger' ? [{ ...found, writers }] : [],
  )
  const [first, last] = [ledgers[0], ledgers.at(-1)]
  if (first?.writers == null || last === undefined || last === first) return null
  const { rowsDiffer, lost, doubled, differ, moments }: Reconciled = last.reconciled
  const longest = steps
    .filter(({ found }) => found.kind !== 'ledger')
    .reduce((worst, step) => (longestOf(step) > longestOf(worst) ? step : worst))
  return {
    ...last.told,
    rowsDiffer,
    lost,
    doubled,
    differ,
    moments,
    withoutUs: first.writers.plain,
    longestWaitMs: longestOf(longest),
    longestWaitIn: longest.name,
    locks: steps.flatMap(lockOf),
  }
}

function longestOf({ writers }: DemoStep): number {
  return writers === null ? 0 : Math.max(writers.plain.maxMs, writers.commands.maxMs)
}

function lockOf({ name, found }: DemoStep): readonly DemoLock[] {
  if (found.kind !== 'captured' && found.kind !== 'cutover') return []
  const { attempts, lockedMs } = found.kind === 'captured' ? found.table : found.result
  return [{ step: name, attempts, lockedMs }]
}
