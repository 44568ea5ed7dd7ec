import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import type { Difference, DifferenceKind } from './verify-result.js'

/** Whose mismatches, and the run that looks. */
export interface MismatchScope {
  readonly schema: string
  readonly table: string
  readonly aggregateType: string
  readonly run: string
}

export interface OpenMismatch {
  readonly id: string
  readonly key: string
  readonly kind: DifferenceKind
}

/** Stores what a run met: new ones are opened, open ones are marked as seen again. In order of key: two runs may meet. */
export async function keepMismatches(
  session: Session,
  { schema, table, aggregateType, run }: MismatchScope,
  differences: readonly Omit<Difference, 'table'>[],
): Promise<void> {
  if (differences.length === 0) return
  const stored = differences.map(({ key, kind, columns }) => ({ key, kind, columns }))
  await session.execute(sql`
    insert into eventward.mismatches as m
      (table_schema, table_name, aggregate_type, key, kind, columns, first_run, last_run)
    select ${schema}::text, ${table}::text, ${aggregateType}::text, d.key, d.kind, d.columns,
      ${run}::bigint, ${run}::bigint
    from jsonb_to_recordset(${JSON.stringify(stored)}::jsonb) as d (key text, kind text, columns jsonb)
    order by d.key collate "C", d.kind collate "C"
    on conflict (aggregate_type, hashtextextended(key, 0), kind) where resolved_at is null do update
    set last_run = greatest(m.last_run, excluded.last_run),
      last_seen_at = clock_timestamp(),
      columns = case when excluded.columns = '[]' then m.columns else excluded.columns end`)
}

/**
 * Closes the open mismatches that this run, a full one, did not meet. One that another run has seen since this one began
 * stays: it may have come about behind the ranges that this one had read already.
 */
export async function resolveUnmet(session: Session, { aggregateType, run }: MismatchScope): Promise<void> {
  await session.execute(sql`
    update eventward.mismatches
    set resolved_at = clock_timestamp()
    where aggregate_type = ${aggregateType}::text
      and resolved_at is null
      and last_run <> ${run}::bigint
      and last_seen_at < (
        select started_at
        from eventward.runs
        where id = ${run}::bigint
      )`)
}

/** Closes mismatches that are gone. */
export async function resolveMismatches(session: Session, ids: readonly string[]): Promise<void> {
  await session.execute(sql`
    update eventward.mismatches
    set resolved_at = clock_timestamp()
    where id = any (${ids}::bigint[])
      and resolved_at is null`)
}

/** The next open mismatches of an aggregate, by id. */
export async function openMismatches(
  session: Session,
  aggregateType: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly OpenMismatch[]> {
  return session.rows<{ id: string; key: string; kind: DifferenceKind }>(sql`
    select id, key, kind
    from eventward.mismatches
    where aggregate_type = ${aggregateType}::text
      and resolved_at is null
      and id > ${after}::bigint
    order by id
    limit ${String(limit)}::bigint`)
}
