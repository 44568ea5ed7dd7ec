import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** A table by its two names. */
interface TableOf {
  readonly schema: string
  readonly name: string
}

export interface LastBackfill {
  readonly run: string
  readonly state: string
  readonly complete: boolean
  /** The epoch of the capture beside which it ran; null where writes meanwhile were not captured. */
  readonly capture: string | null
  /** Share of the rows done, by the planner's estimate of the table; 100 where complete; null where nobody knows. */
  readonly percent: number | null
  readonly rows: string
  readonly events: string
  /** timestamptz text in UTC. */
  readonly startedAt: string
}

export interface LastVerify {
  readonly run: string
  readonly engine: string | null
  /** timestamptz text in UTC: when it ended. */
  readonly at: string
  readonly ageSeconds: number
  readonly clean: boolean
}

/** The last backfill of a table, or null. */
export async function lastBackfill(
  session: Session,
  table: TableOf,
  rowEstimate: string | null,
): Promise<LastBackfill | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select r.id as run, r.state, r.started_at, nullif(r.params ->> 'capture', 'false') as capture,
      coalesce(sum(c.rows), 0) as rows,
      coalesce(sum(c.events), 0) as events
    from eventward.runs r
    left join eventward.chunks c on c.run_id = r.id
    where r.id = (
      select max(id)
      from eventward.runs
      where command = 'backfill'
        and table_schema = ${table.schema}::text
        and table_name = ${table.name}::text
    )
    group by r.id`)
  if (row === undefined) return null
  const { run, state, rows, events } = row as Record<'run' | 'state' | 'rows' | 'events', string>
  const complete = state === 'complete'
  return {
    run,
    state,
    complete,
    capture: row['capture'] ?? null,
    percent: percentOf(complete, rows, rowEstimate),
    rows,
    events,
    startedAt: row['started_at']!,
  }
}

/** Never 100 before it's complete. */
function percentOf(complete: boolean, rows: string, estimate: string | null): number | null {
  if (complete) return 100
  if (estimate === null || Number(estimate) <= 0) return null
  return Math.min(99, Math.floor((Number(rows) * 100) / Number(estimate)))
}

/** The full verify of a table that ended last, or null. Not the one begun last: two may overlap. */
export async function lastVerify(session: Session, table: TableOf): Promise<LastVerify | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select id as run, params ->> 'engine' as engine, finished_at as at,
      extract(epoch from clock_timestamp() - finished_at)::bigint as age,
      outcome ->> 'result' = 'clean' as clean
    from eventward.runs
    where command = 'verify'
      and table_schema = ${table.schema}::text
      and table_name = ${table.name}::text
      and state = 'complete'
      and params ->> 'open' is distinct from 'true'
    order by finished_at desc, id desc
    limit 1`)
  if (row === undefined) return null
  return {
    run: row['run']!,
    engine: row['engine'] ?? null,
    at: row['at']!,
    ageSeconds: Number(row['age']),
    clean: row['clean'] === 't',
  }
}

/** How many differences are kept as open. */
export async function openDifferences(session: Session, table: TableOf): Promise<string> {
  const { open } = await session.one<{ open: string }>(sql`
    select count(*) as open
    from eventward.mismatches
    where table_schema = ${table.schema}::text
      and table_name = ${table.name}::text
      and resolved_at is null`)
  return open
}
