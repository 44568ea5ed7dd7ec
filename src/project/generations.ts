import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { type Cursor, cursorColumns, cursorOf, EPOCH, presentEpoch, setCursor } from '../log/index.js'
import type { CallerConnection } from '../runtime/index.js'
import { type Query, sql } from '../sql/index.js'
import { RESTART } from '../store/index.js'
import type { Projection } from './define-projection.js'

export type GenerationState = 'building' | 'live' | 'old'

/** A table of a projection, and what of the log was written to it. All numbers but `generation` and `version` are texts. */
export interface Generation {
  readonly id: string
  readonly generation: number
  readonly version: number
  readonly schema: string
  readonly table: string
  readonly state: GenerationState
  readonly epoch: string
  readonly cursor: Cursor
  /** Events that it was given. */
  readonly events: string
}

const COLUMNS: Query = sql`g.id, g.generation, g.version, g.schema_name, g.table_name, g.state, g.epoch,
  ${cursorColumns('g.')}, g.events`

/** All generations of a projection, the oldest first. Takes no lock. */
export async function generationsOf(
  connection: CallerConnection,
  { name }: Pick<Projection, 'name'>,
): Promise<readonly Generation[]> {
  const query = sql`select ${COLUMNS} from eventward.projection_generations g where g.name = ${name}::text order by g.generation`
  const [answer] = await connection.run([query]).catch((error: unknown) => {
    // No such table, no such schema.
    if (!['42P01', '3F000'].includes(sqlstateOf(error) ?? '')) throw error
    throw new UsageError(
      'EW_NOT_MIGRATED',
      'the eventward schema of this database knows no projections yet',
      { next: 'Run `eventward migrate up`.', cause: error },
    )
  })
  return (answer?.rows ?? []).map(generationOf)
}

/**
 * Bars every other writer of a generation until the transaction ends; with `shared`, only those that take it alone. An
 * advisory lock and no row lock: who waits for it alone is not passed by those who share it. Gives what is stored of the
 * generation then, or null where it's gone.
 */
export async function lockGeneration(
  connection: CallerConnection,
  id: string,
  { shared = false }: { readonly shared?: boolean } = {},
): Promise<Generation | null> {
  const key = sql`pg_catalog.hashtextextended('eventward projection ' || ${id}::text, 0)`
  const answers = await connection.run([
    shared
      ? sql`select pg_catalog.pg_advisory_xact_lock_shared(${key})`
      : sql`select pg_catalog.pg_advisory_xact_lock(${key})`,
    // A statement of its own: its snapshot is younger than the lock.
    sql`select ${COLUMNS}, pg_catalog.current_setting('transaction_isolation') as isolation
      from eventward.projection_generations g where g.id = ${id}::bigint`,
  ])
  const [row] = answers[1]?.rows ?? []
  if (row !== undefined && row['isolation'] !== 'read committed') {
    // A snapshot older than the lock shows a cursor that may have moved since: then this is a serialization failure, and
    // no event is written twice.
    await connection.run([
      sql`select from eventward.projection_generations g where g.id = ${id}::bigint for share`,
    ])
  }
  return row === undefined ? null : generationOf(row)
}

/** Whoever makes or flips generations of a projection does so alone, until the transaction ends. */
export async function lockProjection(connection: CallerConnection, name: string): Promise<void> {
  await connection.run([
    sql`select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('eventward projections ' || ${name}::text, 0))`,
  ])
}

/**
 * Notes a new generation, with nothing written to it yet. Its number is no other one's, ever: events name the generation to
 * which a command has written them. What migration 010 knew before it was taken back stands in the settings.
 */
export async function addGeneration(
  connection: CallerConnection,
  projection: Projection,
  state: Exclude<GenerationState, 'old'>,
): Promise<Generation> {
  const { name, schema, version } = projection
  const answers = await connection.run([
    sql`
    insert into eventward.projection_generations as g (name, generation, version, schema_name, table_name, state, epoch, live_at)
    select ${name}::text, n.next, ${String(version)}::integer, ${schema}::text, ${name}::text || '__g' || n.next,
      ${state}::text, ${EPOCH}, case when ${state}::text = 'live' then pg_catalog.clock_timestamp() end
    from (
      select greatest(max(o.generation), (
          select s.value::integer from eventward.settings s where s.key = 'projection_generation ' || ${name}::text
        ), 0) + 1 as next
      from eventward.projection_generations o
      where o.name = ${name}::text
    ) n
    returning ${COLUMNS}`,
  ])
  return generationOf(answers[0]?.rows[0] ?? {})
}

/**
 * Whether it was made of the log that is there: not of that of a database from which this one was restored, nor of events
 * that were archived since, and written anew (`backfill --restart`).
 */
export async function isOfThisLog(
  connection: CallerConnection,
  projection: Projection,
  generation: Pick<Generation, 'id' | 'epoch'>,
): Promise<boolean> {
  return (await whyOfOther(connection, projection, generation)) === null
}

/** @throws UsageError EW_LOG_EPOCH where it was made of another log: its place in it means nothing here. */
export async function refuseOtherLog(
  connection: CallerConnection,
  projection: Projection,
  generation: Generation,
): Promise<void> {
  const { name } = projection
  const why = await whyOfOther(connection, projection, generation)
  if (why === null) return
  throw new UsageError(
    'EW_LOG_EPOCH',
    `projection ${name}: ${why}; its place in the log means nothing here`,
    {
      next: `Run \`eventward replay ${name}\`: it builds the projection anew.`,
      details: { projection: name },
    },
  )
}

async function whyOfOther(
  connection: CallerConnection,
  { rules }: Projection,
  { id, epoch }: Pick<Generation, 'id' | 'epoch'>,
): Promise<string | null> {
  if ((await presentEpoch(connection)) !== epoch) return 'this database was restored'
  const [answer] = await connection.run([
    sql`
    select exists (
        select
        from eventward.runs r
        where r.command = ${RESTART}::text
          and r.aggregate_type = any (${rules.map(({ aggregate }) => aggregate.name)}::text[])
          and r.finished_at > g.created_at
      ) as archived
    from eventward.projection_generations g
    where g.id = ${id}::bigint`,
  ])
  return answer?.rows[0]?.['archived'] === 't' ? 'its events were archived and written anew' : null
}

/** Keeps how far a generation is, in the transaction of what was written. */
export async function storeCursor(
  connection: CallerConnection,
  { id, cursor, events }: Generation,
): Promise<void> {
  await connection.run([
    sql`
    update eventward.projection_generations
    set ${setCursor(cursor)},
      events = ${events}::bigint
    where id = ${id}::bigint`,
  ])
}

type Texts = Readonly<Record<string, string | null>>

function generationOf(row: Texts): Generation {
  const text = (name: string): string => row[name] ?? ''
  return {
    id: text('id'),
    generation: Number(row['generation']),
    version: Number(row['version']),
    schema: text('schema_name'),
    table: text('table_name'),
    // The column's check allows no other.
    state: text('state') as GenerationState,
    epoch: text('epoch'),
    cursor: cursorOf(row),
    events: text('events'),
  }
}
