import type { Session } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { ident, sql } from '../sql/index.js'

/** What is noted of an aggregate's function. */
export interface Known {
  readonly name: string
  /** `[[name, type], ...]` as JSON.stringify writes it. */
  readonly columns: string
  readonly source: string
  readonly meaning: string
  /** What it would be noted with now. */
  readonly meaningNow: string
  /** Null where someone dropped it. */
  readonly oid: string | null
}

/** Whether the migrations of this database know the time machine. */
export async function hasTimeMachines(session: Session): Promise<boolean> {
  const { there } = await session.one(sql`
    select to_regclass('eventward.time_machines') is not null as there`)
  return there === 't'
}

/** @throws UsageError EW_NOT_MIGRATED */
export async function requireTimeMachines(session: Session): Promise<void> {
  if (await hasTimeMachines(session)) return
  throw new UsageError('EW_NOT_MIGRATED', 'the eventward schema of this database knows no time machine yet', {
    next: 'Run `eventward migrate up`.',
  })
}

/** Null where none was made for this aggregate. */
export async function knownFunction(session: Session, aggregate: string): Promise<Known | null> {
  const [row] = await session.rows<Record<string, string> & { oid: string | null }>(sql`
    select t.function_name, t.columns, t.source, t.meaning, eventward.meaning_of(t.aggregate_type) as meaning_now, p.oid
    from eventward.time_machines t
    left join pg_proc p on p.pronamespace = 'eventward'::regnamespace
      and p.proname = t.function_name
      and p.proargtypes = array['timestamptz'::regtype::oid]::oidvector
    where t.aggregate_type = ${aggregate}::text`)
  if (row === undefined) return null
  return {
    name: row['function_name']!,
    // jsonb writes it with spaces.
    columns: JSON.stringify(JSON.parse(row['columns']!)),
    source: row['source']!,
    meaning: row['meaning']!,
    meaningNow: row['meaning_now']!,
    oid: row.oid,
  }
}

/** As SQL writes it. */
export function shownFunction(name: string): string {
  return `eventward.${/^[a-z_][a-z0-9_]*$/.test(name) ? name : ident(name)}`
}

/** One at a time, whoever makes or removes functions, until the transaction ends. Look afterwards, in a statement of its own. */
export async function lockTimeMachines(session: Session): Promise<void> {
  await session.execute(sql`
    select pg_advisory_xact_lock(hashtextextended('eventward time machines', 0))`)
}
