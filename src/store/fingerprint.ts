import type { Session } from '../db/index.js'
import { qualified, sql } from '../sql/index.js'

/**
 * What a table, its partitions, triggers and rules are, as a hash: where it differs between two askings, something came
 * about that could let a write pass unseen. Null where there is no such table. Takes no lock.
 */
export async function readFingerprint(
  session: Session,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<string | null> {
  const { fingerprint } = await session.one<{ fingerprint: string | null }>(sql`
    select case when r.oid is not null then eventward.fingerprint(r.oid) end as fingerprint
    from (select to_regclass(${qualified(schema, table)}::text)::oid as oid) r`)
  return fingerprint
}

/** What keeps capture from being whole: see `eventward.capture_problems`. */
export interface CaptureProblem {
  readonly problem: string
  /** The trigger, partition or rule it is about. */
  readonly detail: string | null
}

/** Asks the catalog what is wrong with the capture of an aggregate's table; `off` where it is not captured. */
export async function captureProblems(
  session: Session,
  aggregateType: string,
): Promise<readonly CaptureProblem[]> {
  return session.rows<Record<'problem', string> & Record<'detail', string | null>>(sql`
    select problem, detail
    from eventward.capture_problems(${aggregateType}::text)`)
}
