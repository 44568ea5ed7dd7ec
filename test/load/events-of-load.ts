import type pg from 'pg'
import { historyByKey, type Ledger, sameTexts, type Write } from '../../src/demo/ledger.js'
import type { LoadTable } from './load-table.js'
import type { AllRows } from './reconcile.js'

/** Where a ledger and the events of its writes disagree. */
export interface LoadEvents {
  /** Committed writes that changed a row and left no event, as `table key @transaction`. */
  readonly lost: readonly string[]
  /** Events without a committed write, or the same event twice for one write, as `table key @transaction`. */
  readonly doubled: readonly string[]
  /** Writes that left events. */
  readonly recorded: number
}

/**
 * Compares what triggers recorded with what the ledger says, by key and transaction. Capture went on at a moment
 * between two tickets: writes before need no events, those in between may have some.
 */
export async function eventsOfLoad(
  admin: pg.Client,
  tables: readonly LoadTable[],
  before: AllRows,
  ledger: Ledger,
  captured: { readonly from: bigint; readonly to: bigint },
): Promise<LoadEvents> {
  const all: LoadEvents[] = []
  for (const { name } of tables) {
    const { rows } = await admin.query<Record<'aggregate_id' | 'xid' | 'most', string>>(
      `select aggregate_id, transaction_id as xid, max(times) as most
       from (
         select aggregate_id, transaction_id, count(*) as times
         from events
         where aggregate_type = (select aggregate_type from eventward.captures where table_name = $1 and table_schema = 'public')
           and metadata ->> 'source' = 'trigger'
         group by aggregate_id, transaction_id, type, data, occurred_at, metadata ->> 'existing'
       ) as same
       group by 1, 2`,
      [name],
    )
    const events = new Map(rows.map((row) => [`${name} ${row.aggregate_id} @${row.xid}`, Number(row.most)]))
    const writes = ledger.writes.filter(({ table }) => table === name)
    all.push(compare(events, steps(writes, before.get(name) ?? new Map()), captured))
  }
  return {
    lost: all.flatMap(({ lost }) => lost),
    doubled: all.flatMap(({ doubled }) => doubled),
    recorded: all.reduce((sum, { recorded }) => sum + recorded, 0),
  }
}

interface Step {
  readonly name: string
  readonly ticket: bigint
  readonly changes: number
}

/** What each transaction did to each key: how many of its writes changed something. */
function steps(writes: readonly Write[], before: ReadonlyMap<string, Write['row']>): readonly Step[] {
  const found = new Map<string, Step>()
  for (const [key, history] of historyByKey(writes)) {
    let row = before.get(key) ?? null
    for (const write of history) {
      const name = `${write.table} ${key} @${write.xid}`
      const changes = (found.get(name)?.changes ?? 0) + (sameTexts(row, write.row) ? 0 : 1)
      found.set(name, { name, ticket: write.ticket, changes })
      row = write.row
    }
  }
  return [...found.values()]
}

function compare(
  events: ReadonlyMap<string, number>,
  done: readonly Step[],
  { from, to }: { readonly from: bigint; readonly to: bigint },
): LoadEvents {
  const byName = new Map(done.map((step) => [step.name, step]))
  return {
    lost: done
      .filter(({ name, ticket, changes }) => ticket > to && changes > 0 && !events.has(name))
      .map(({ name }) => name),
    doubled: [...events]
      .filter(([name, times]) => {
        const step = byName.get(name)
        // The same event twice is right only where the transaction wrote the row as often.
        return step === undefined || step.ticket < from || times > Math.max(step.changes, 1)
      })
      .map(
        ([name, times]) =>
          `${name}: ${byName.get(name)?.changes ?? 'no'} writes, the same event ${times} times`,
      ),
    recorded: done.filter(({ name }) => events.has(name)).length,
  }
}
