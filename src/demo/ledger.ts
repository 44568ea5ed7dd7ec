/** What one statement of an application did to one row, as the server returned it within the transaction. */
export interface Write {
  readonly table: string
  /** The row's key as one text: as a stream's id is written. */
  readonly key: string
  /**
   * A number of the server's sequence, drawn by RETURNING while the row's lock was held: per key the order of these is
   * the order of commits, whoever wrote, since the next writer of the row had to wait for that lock.
   */
  readonly ticket: bigint
  /** pg_current_xact_id() of the transaction. */
  readonly xid: string
  /** The whole row as texts, or null where it's gone. */
  readonly row: Texts | null
}

export type Texts = Readonly<Record<string, string | null>>

/** How a transaction of an application ended. */
export type Outcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'rolled back' }
  | { readonly kind: 'refused'; readonly sqlstate: string }

/** What the writers of an application attempted, did, and were refused. Rows are in it once they are committed. */
export class Ledger {
  readonly writes: Write[] = []
  readonly refused = new Map<string, number>()
  attempted = 0
  committed = 0
  rolledBack = 0

  /** Enters a transaction once its end is known. */
  settle(writes: readonly Write[], outcome: Outcome): void {
    this.attempted += 1
    if (outcome.kind === 'committed') {
      this.committed += 1
      this.writes.push(...writes)
    } else if (outcome.kind === 'rolled back') {
      this.rolledBack += 1
    } else {
      this.refuse(outcome.sqlstate)
    }
  }

  /** Counts an error that the application saw: also one after which it went on, behind a savepoint. */
  refuse(sqlstate: string): void {
    this.refused.set(sqlstate, (this.refused.get(sqlstate) ?? 0) + 1)
  }
}

/** A row that isn't what the ledger says. Null: there is none. */
export interface Unreconciled {
  readonly key: string
  readonly ledger: Texts | null
  readonly row: Texts | null
}

/**
 * What of a table's rows can't be explained by the rows before the load and the ledger; empty where all is. Pure.
 * Rows that nobody touched must be as they were, too.
 */
export function reconcile(
  before: ReadonlyMap<string, Texts>,
  writes: readonly Write[],
  now: ReadonlyMap<string, Texts>,
): readonly Unreconciled[] {
  const expected = new Map<string, Texts | null>(before)
  for (const [key, history] of historyByKey(writes)) expected.set(key, history.at(-1)?.row ?? null)
  const keys = new Set([...expected.keys(), ...now.keys()])
  return [...keys]
    .map((key) => ({ key, ledger: expected.get(key) ?? null, row: now.get(key) ?? null }))
    .filter(({ ledger, row }) => !sameTexts(ledger, row))
}

/** The writes of each key, first to last. Pure. */
export function historyByKey(writes: readonly Write[]): ReadonlyMap<string, readonly Write[]> {
  const byKey = new Map<string, Write[]>()
  for (const write of writes) {
    const history = byKey.get(write.key)
    if (history === undefined) byKey.set(write.key, [write])
    else history.push(write)
  }
  for (const history of byKey.values()) history.sort((a, b) => (a.ticket < b.ticket ? -1 : 1))
  return byKey
}

/** Whether two rows are the same, text by text. */
export function sameTexts(a: Texts | null, b: Texts | null): boolean {
  if (a === null || b === null) return a === b
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
