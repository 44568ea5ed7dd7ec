import { backfill } from '../../src/backfill/index.js'
import { bindAggregate } from '../../src/bind/index.js'
import type { Session } from '../../src/db/index.js'
import type { BoundColumn, BoundModel, Row } from '../../src/definition/index.js'
import { type RecogniseContext, recognise } from '../../src/recognise/index.js'
import { ident, sql } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import type { TestDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { loadPairs, readTexts, serverInstants, type TextPair } from './law-pairs.js'
import type { RandomModel, RandomPair } from './random-model.js'

/** Which code of the triggers runs: `cold` has one more dropped column than it was compiled for. */
export type CapturePath = 'compiled' | 'cold'

/** A model made wrong on purpose: what TypeScript gets instead of the true one. */
type Mutant = (model: BoundModel) => BoundModel

let serial = 0

/** Added to the key of the rows whose key changes. */
const MOVED_BY = 1_000
/** Every so many rows: was there before capture, changes its key, is removed in the end. */
const EXISTING = 3
const MOVES = 7
const REMOVED = 11

/**
 * Writes pairs of rows by plain SQL to a captured table and compares what the triggers stored with what TypeScript's
 * `recognise` says of the same images, text by text, and the folds of both engines with the rows. An empty list: all
 * is the same.
 */
export async function checkCapture(
  db: TestDatabase,
  { columns, definition: { name, ...rest } }: RandomModel,
  pairs: readonly RandomPair[],
  path: CapturePath,
  mutant: Mutant = (model) => model,
): Promise<readonly string[]> {
  // What an event means is frozen by the name of its aggregate.
  serial += 1
  const definition = { ...rest, name: `${name} ${serial}` }
  await loadPairs(db, columns, pairs)
  await dropPartitions(db)
  await db.admin.query('delete from eventward.captures; delete from eventward.incomplete')
  await db.admin.query(
    `insert into public.law select (b).* from public.law_pairs where not creation and n % ${EXISTING} = 0`,
  )
  await installCapture(db.database, definition)
  if (path === 'cold')
    await db.admin.query(
      'alter table public.law add column cold integer; alter table public.law drop column cold',
    )

  const names = columns.map(({ name }) => ident(name))
  await db.admin.query(`
    insert into public.law (id, ${names.join(', ')})
    select (case when creation then a else b end).*
    from public.law_pairs
    where creation or n % ${EXISTING} <> 0`)
  await db.admin.query(`
    update public.law l
    set ${names.map((name) => `${name} = (p.a).${name}`).join(', ')},
      id = case when l.id % ${MOVES} = 0 then l.id + ${MOVED_BY} else l.id end
    from public.law_pairs p
    where p.n = l.id and not p.creation`)
  await db.admin.query(`delete from public.law where id % ${REMOVED} = 0`)

  return db.database.session(async (session) => {
    const { model } = await bindAggregate(session, definition)
    const stored = await storedEvents(session, model)
    const expected = await expectedEvents(session, mutant(model), path)
    // Rows that were there before, and to which nothing was written, have no stream yet.
    await backfill(db.database, definition)
    // Where code says what some event does (of which a trigger knows none), replay alone proves.
    const coded = definition.events.some(({ apply }) => apply !== undefined)
    const { differences } = await verify(db.database, definition, coded ? {} : { engine: 'sql' })
    const replayed = await verify(db.database, definition, { engine: 'replay' })
    return [
      ...unlike(stored, expected),
      ...[...differences, ...replayed.differences].map((found) => `law 1: ${JSON.stringify(found)}`),
      ...(await asides(session, path)),
    ]
  })
}

async function dropPartitions(db: TestDatabase): Promise<void> {
  const { rows } = await db.admin.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'public.events'::regclass`,
  )
  for (const { name } of rows) await db.admin.query(`drop table ${name}`)
}

/** One line per stored event; the time only where a column told it. */
async function storedEvents(session: Session, model: BoundModel): Promise<readonly string[]> {
  const rows = await session.rows(sql`
    select aggregate_id as id, version::text as version, type, schema_version::text as schema, data::text as data,
      coalesce(metadata ->> 'inferred', 'false') as inferred, occurred_at::text as at
    from public.events
    where aggregate_type = ${model.name}::text
    order by aggregate_id::bigint, version`)
  return rows.map((row) =>
    line({
      id: String(row['id']),
      version: Number(row['version']),
      type: String(row['type']),
      schemaVersion: Number(row['schema']),
      data: String(row['data']),
      at: row['inferred'] === 'true' ? null : String(row['at']),
    }),
  )
}

interface Expected {
  readonly id: string
  readonly version: number
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  readonly at: string | null
}

function line({ id, version, type, schemaVersion, data, at }: Expected): string {
  return `${id} v${version} ${type}/${schemaVersion} ${data} ${at ?? '(inferred)'}`
}

async function expectedEvents(
  session: Session,
  model: BoundModel,
  path: CapturePath,
): Promise<readonly string[]> {
  const pairs = await readTexts(session, model)
  const instants = await serverInstants(session, model)
  const { now } = await session.one<{ now: string }>(sql`select pg_catalog.clock_timestamp()::text as now`)
  const context: RecogniseContext = {
    now,
    ...(model.timeZone === 'UTC'
      ? {}
      : { instantOf: ({ name }: BoundColumn, text: string) => instants.get(`${name}\0${text}`) ?? null }),
  }
  const versions = new Map<string, number>()
  const found = pairs
    .flatMap((pair) =>
      writesOf(
        pair,
        (before, after) => path === 'cold' || recognise(model, before, after, context).length > 0,
      ),
    )
    .flatMap(({ before, after, backfill }) => recognise(model, before, after, { ...context, backfill }))
    .map((event) => {
      const version = (versions.get(event.streamId) ?? 0) + 1
      versions.set(event.streamId, version)
      return { ...event, id: event.streamId, version }
    })
  const canonical = await session.rows(
    sql`select (d::jsonb)::text as d from unnest(${found.map(({ data }) => data)}::text[]) with ordinality u(d, n) order by n`,
  )
  return found
    .map((event, at) => ({
      ...event,
      data: String(canonical[at]?.['d']),
      at: event.inferred ? null : event.occurredAt,
    }))
    .toSorted((x, y) => Number(x.id) - Number(y.id) || x.version - y.version)
    .map(line)
}

interface Write {
  readonly before: Row | null
  readonly after: Row | null
  readonly backfill: boolean
}

/**
 * What is written of a pair, in order. A row that was there before is recorded only where a write to it means something;
 * the cold path records it at any write.
 */
function writesOf(
  { n, before, after }: TextPair,
  means: (before: Row, after: Row) => boolean,
): readonly Write[] {
  const write = (from: Row | null, to: Row | null, backfill = false): Write => ({
    before: from,
    after: to,
    backfill,
  })
  const id = before !== null && Number(n) % MOVES === 0 ? String(Number(n) + MOVED_BY) : n
  const last: Row = { ...after, id }
  const removed = Number(id) % REMOVED === 0
  const existing = before !== null && Number(n) % EXISTING === 0
  if (existing && !removed && !means(before, last)) return []
  return [
    ...(before === null ? [] : [write(null, before, existing)]),
    write(before, last),
    ...(removed ? [write(last, null)] : []),
  ]
}

function unlike(stored: readonly string[], expected: readonly string[]): readonly string[] {
  const inStored = new Set(stored)
  const inExpected = new Set(expected)
  return [
    ...stored
      .filter((event) => !inExpected.has(event))
      .map((event) => `law 2: only the trigger stores ${event}`),
    ...expected
      .filter((event) => !inStored.has(event))
      .map((event) => `law 2: only TypeScript gives ${event}`),
  ]
}

/** Nothing was left out, and the path that was meant to run did. */
async function asides(session: Session, path: CapturePath): Promise<readonly string[]> {
  const incomplete = await session.rows(sql`select aggregate_id, reason from eventward.incomplete`)
  const { wrong } = await session.one<{ wrong: string }>(sql`
    select count(*)::text as wrong
    from public.events
    where aggregate_type like 'Law %'
      and metadata ->> 'source' = 'trigger'
      and (metadata ? 'cold') <> ${String(path === 'cold')}::boolean`)
  return [
    ...incomplete.map((row) => `incomplete: ${JSON.stringify(row)}`),
    ...(wrong === '0' ? [] : [`${wrong} events of another path than ${path}`]),
  ]
}
