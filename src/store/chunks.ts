import type { Session } from '../db/index.js'
import { type Query, sql } from '../sql/index.js'

/** The canonical texts of a key, in key order. */
export type KeyTexts = readonly string[]

/** A range `(lo, hi]` of a run; null is no bound. */
export interface NewChunk {
  readonly kind: string
  readonly lo: KeyTexts | null
  readonly hi: KeyTexts | null
}

export interface Chunk extends NewChunk {
  readonly n: string
  /** The key up to which it is done; where null, it begins at `lo`. */
  readonly doneTo: KeyTexts | null
  /** How often it was tried in vain. */
  readonly attempts: number
}

/** Why a chunk could not be taken. */
export interface ChunkError {
  readonly sqlstate: string | null
  readonly message: string
}

/** Counts are texts: 64-bit numbers. */
export interface SliceCounts {
  readonly rows: string
  readonly streams: string
  readonly events: string
  readonly differences?: string
}

/**
 * Adds chunks to a run, behind those that it has, within the caller's transaction; gives their numbers. Locks the run's
 * row.
 */
export async function addChunks(
  session: Session,
  runId: string,
  chunks: readonly NewChunk[],
): Promise<readonly string[]> {
  if (chunks.length === 0) return []
  // The next number is asked for under the run's lock, in a statement of its own: its snapshot is younger.
  await session.execute(sql`select from eventward.runs where id = ${runId}::bigint for no key update`)
  const added = await session.rows<{ n: string }>(sql`
    insert into eventward.chunks (run_id, n, kind, lo, hi)
    select ${runId}::bigint, last.n + chunk.place, chunk.kind, chunk.lo::jsonb, chunk.hi::jsonb
    from unnest(${chunks.map(({ kind }) => kind)}::text[], ${chunks.map(({ lo }) => json(lo))}::text[],
      ${chunks.map(({ hi }) => json(hi))}::text[]) with ordinality as chunk (kind, lo, hi, place)
    cross join (
      select coalesce(max(n), 0) as n
      from eventward.chunks
      where run_id = ${runId}::bigint
    ) last
    returning n::text as n`)
  return added.map(({ n }) => n)
}

/**
 * Claims a chunk that is to be done, of those that no one holds, until the transaction ends: the death of a process
 * releases it. Null where there is none, or the run has ended. Locks the chunk's row.
 *
 * @param options.maxAttempts chunks tried so often are left alone.
 * @param options.n only this one.
 */
export async function claimChunk(
  session: Session,
  runId: string,
  options: { readonly maxAttempts: number; readonly n?: string },
): Promise<Chunk | null> {
  const only = options.n === undefined ? sql`` : sql`and c.n = ${options.n}::integer`
  const [row] = await session.rows<ChunkRow>(sql`
    select ${COLUMNS}
    from eventward.chunks c
    where c.run_id = ${runId}::bigint
      and c.state = 'todo'
      and c.attempts < ${String(options.maxAttempts)}::integer
      and (c.not_before is null or c.not_before <= clock_timestamp())
      and exists (
        select
        from eventward.runs r
        where r.id = c.run_id
          and r.state <> 'failed'
      )
      ${only}
    order by c.n
    limit 1
    for update of c skip locked`)
  return row === undefined ? null : chunkOf(row)
}

/** Moves a claimed chunk on, within the transaction that did the work: "done" is committed with its effect. */
export async function storeProgress(
  session: Session,
  runId: string,
  n: string,
  progress: { readonly doneTo: KeyTexts | null; readonly done: boolean; readonly counts: SliceCounts },
): Promise<void> {
  const { doneTo, done, counts } = progress
  await session.execute(sql`
    update eventward.chunks
    set done_to = coalesce(${json(doneTo)}::jsonb, done_to),
      state = ${done ? 'done' : 'todo'}::text,
      rows = rows + ${counts.rows}::bigint,
      streams = streams + ${counts.streams}::bigint,
      events = events + ${counts.events}::bigint,
      differences = differences + ${counts.differences ?? '0'}::bigint
    where run_id = ${runId}::bigint
      and n = ${n}::integer`)
}

/** Notes that a chunk could not be taken, and when it may be tried again. */
export async function deferChunk(
  session: Session,
  runId: string,
  n: string,
  failure: { readonly attempts: number; readonly error: ChunkError; readonly waitMs: number },
): Promise<void> {
  await session.execute(sql`
    update eventward.chunks
    set attempts = ${String(failure.attempts)}::integer,
      last_error = ${JSON.stringify(failure.error)}::jsonb,
      not_before = clock_timestamp() + ${String(failure.waitMs)}::float8 * interval '1 millisecond'
    where run_id = ${runId}::bigint
      and n = ${n}::integer`)
}

/** What is not done, with its last error; at most `limit`, in order. */
export async function leftChunks(
  session: Session,
  runId: string,
  limit: number,
): Promise<readonly (Chunk & { readonly error: ChunkError | null })[]> {
  const rows = await session.rows<ChunkRow & { readonly last_error: string | null }>(sql`
    select ${COLUMNS}, c.last_error::text as last_error
    from eventward.chunks c
    where c.run_id = ${runId}::bigint
      and c.state = 'todo'
    order by c.n
    limit ${String(limit)}::bigint`)
  return rows.map((row) => ({
    ...chunkOf(row),
    error: row.last_error === null ? null : (JSON.parse(row.last_error) as ChunkError),
  }))
}

/** Gives chunks that were given up another chance: a new process was started to do so. */
export async function touchGivenUp(session: Session, runId: string, maxAttempts: number): Promise<void> {
  await session.execute(sql`
    update eventward.chunks
    set attempts = 0, not_before = null
    where run_id = ${runId}::bigint
      and state = 'todo'
      and attempts >= ${String(maxAttempts)}::integer`)
}

interface ChunkRow extends Readonly<Record<string, string | null>> {
  readonly n: string
  readonly kind: string
  readonly lo: string | null
  readonly hi: string | null
  readonly done_to: string | null
  readonly attempts: string
}

const COLUMNS: Query = sql`c.n::text as n, c.kind, c.lo::text as lo, c.hi::text as hi, c.done_to::text as done_to,
  c.attempts::text as attempts`

function chunkOf(row: ChunkRow): Chunk {
  return {
    n: row.n,
    kind: row.kind,
    lo: parseKey(row.lo),
    hi: parseKey(row.hi),
    doneTo: parseKey(row.done_to),
    attempts: Number(row.attempts),
  }
}

function parseKey(text: string | null): KeyTexts | null {
  return text === null ? null : (JSON.parse(text) as KeyTexts)
}

function json(key: KeyTexts | null): string | null {
  return key === null ? null : JSON.stringify(key)
}
