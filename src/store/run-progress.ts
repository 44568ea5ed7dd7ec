import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import type { RunState } from './runs.js'

/** How far a run is, over all processes that work on it. Counts are texts: 64-bit numbers. */
export interface RunProgress {
  readonly state: RunState
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly differences: string
  readonly chunks: string
  /** Chunks not done. */
  readonly todo: string
  /** Of these, how many were tried as often as they may be. */
  readonly givenUp: string
  /** Whether all chunks are planned. */
  readonly planned: boolean
}

/** Adds a run's chunks up. Takes no lock. */
export async function progressOf(session: Session, runId: string, maxAttempts: number): Promise<RunProgress> {
  const row = await session.one<Record<keyof RunProgress | 'given_up', string>>(sql`
    select min(r.state) as state,
      coalesce(sum(c.rows), 0)::text as rows,
      coalesce(sum(c.streams), 0)::text as streams,
      coalesce(sum(c.events), 0)::text as events,
      coalesce(sum(c.differences), 0)::text as differences,
      count(c.n) as chunks,
      count(*) filter (where c.state = 'todo') as todo,
      count(*) filter (where c.state = 'todo' and c.attempts >= ${String(maxAttempts)}::integer) as given_up,
      bool_and(r.upper_key is null or r.planned_to is not distinct from r.upper_key) as planned
    from eventward.runs r
    left join eventward.chunks c on c.run_id = r.id
    where r.id = ${runId}::bigint`)
  const { rows, streams, events, differences, chunks, todo } = row
  return {
    state: row.state as RunState,
    rows,
    streams,
    events,
    differences,
    chunks,
    todo,
    givenUp: row.given_up,
    planned: row.planned === 't',
  }
}
