import { bindAggregate } from '../../src/bind/index.js'
import type { Session } from '../../src/db/index.js'
import type { BoundColumn, BoundModel } from '../../src/definition/index.js'
import { foldStream } from '../../src/fold/index.js'
import { recognise } from '../../src/recognise/index.js'
import {
  compileRecognise,
  compileVerifyStreams,
  type KeyColumn,
  ofInstantSql,
  type RecogniseInput,
  raw,
  sql,
  typedKey,
  typeLiteral,
} from '../../src/sql/index.js'
import type { TestDatabase } from '../support/database.js'
import { loadPairs, readTexts, serverInstants, side, type TextPair } from './law-pairs.js'
import type { RandomModel, RandomPair } from './random-model.js'

/** A model made wrong on purpose: what the compiled recognition gets instead of the true one. */
export type Mutant = (model: BoundModel) => BoundModel

/** The time of what no column dates. */
const NOW = '2020-01-01 00:00:00+00'

interface Recognised {
  readonly n: string
  readonly step: 'creation' | 'update'
  readonly ordinal: number
  readonly type: string
  readonly data: string
  readonly occurredAt: string
  readonly inferred: boolean
}

/**
 * Loads pairs of rows into a real table, recognises them in both languages, stores the events, folds in both, and says
 * what laws 1 and 2 do not hold for. An empty list: all hold.
 */
export async function checkLaws(
  db: TestDatabase,
  { columns, definition }: RandomModel,
  pairs: readonly RandomPair[],
  mutant: Mutant = (model) => model,
): Promise<readonly string[]> {
  await loadPairs(db, columns, pairs)
  await db.admin.query('insert into public.law select (a).* from public.law_pairs')
  await db.admin.query(`select eventward.create_partition('Law law', 'events_law')`)
  return db.database.session(async (session) => {
    const { model, table } = await bindAggregate(session, definition)
    const compiled = await recogniseInSql(session, mutant(model))
    const rows = await readTexts(session, model)
    const interpreted = await recogniseInTypeScript(session, model, rows)
    const languages = differences(compiled, interpreted)
    await store(db, model, compiled)
    return [...languages, ...(await foldInBoth(session, model, table.key?.columns ?? [], rows))]
  })
}

async function recogniseInSql(session: Session, model: BoundModel): Promise<readonly Recognised[]> {
  const now = `'${NOW}'::timestamptz`
  const first = { sides: { before: null, after: side('a') }, now, backfill: true }
  const creation = `(select n, case when creation then a else b end as a from public.law_pairs) p`
  const update = `(select * from public.law_pairs where not creation) p`
  return [
    ...(await events(session, model, 'creation', { ...first, from: creation })),
    ...(await events(session, model, 'update', {
      from: update,
      sides: { before: side('b'), after: side('a') },
      now,
    })),
  ]
}

async function events(
  session: Session,
  model: BoundModel,
  step: Recognised['step'],
  input: RecogniseInput,
): Promise<readonly Recognised[]> {
  const rec = compileRecognise(model, { ...input, select: ['p.n'] })
  const branches = rec.events.map(
    (
      event,
    ) => `select s.n, ${event.ordinal} as ordinal, ${typeLiteral(event)} as type, (${event.data})::text as data,
      (${event.occurredAt})::text as occurred_at, (${event.inferred})::text as inferred from s where ${event.where}`,
  )
  if (branches.length === 0) return []
  const found = await session.rows(
    sql`with s as materialized (${raw(rec.source)}) ${raw(branches.join(' union all '))} order by 1, 2`,
  )
  return found.map((row) => ({
    n: String(row['n']),
    step,
    ordinal: Number(row['ordinal']),
    type: String(row['type']),
    data: String(row['data']),
    occurredAt: String(row['occurred_at']),
    inferred: row['inferred'] === 'true',
  }))
}

async function recogniseInTypeScript(
  session: Session,
  model: BoundModel,
  pairs: readonly TextPair[],
): Promise<readonly Recognised[]> {
  const instants = await serverInstants(session, model)
  const context = {
    now: NOW,
    ...(model.timeZone === 'UTC'
      ? {}
      : { instantOf: ({ name }: BoundColumn, text: string) => instants.get(`${name}\0${text}`) ?? null }),
  }
  const found = pairs.flatMap(({ n, before, after }) => [
    ...recognise(model, null, before ?? after, { ...context, backfill: true }).map((event, at) => ({
      n,
      step: 'creation' as const,
      ordinal: at + 1,
      ...event,
    })),
    ...(before === null ? [] : recognise(model, before, after, context)).map((event, at) => ({
      n,
      step: 'update' as const,
      ordinal: at + 1,
      ...event,
    })),
  ])
  const canonical = await session.rows(
    sql`select (d::jsonb)::text as d from unnest(${found.map(({ data }) => data)}::text[]) with ordinality u(d, n) order by n`,
  )
  return found.map(({ n, step, ordinal, type, occurredAt, inferred }, at) => ({
    n,
    step,
    ordinal,
    type,
    data: String(canonical[at]?.['d']),
    occurredAt,
    inferred,
  }))
}

function differences(sqlSide: readonly Recognised[], tsSide: readonly Recognised[]): readonly string[] {
  const line = (event: Recognised) => JSON.stringify(event)
  const sqlLines = new Set(sqlSide.map(line))
  const tsLines = new Set(tsSide.map(line))
  return [
    ...[...sqlLines]
      .filter((text) => !tsLines.has(text))
      .map((text) => `law 2, recognise: only SQL gives ${text}`),
    ...[...tsLines]
      .filter((text) => !sqlLines.has(text))
      .map((text) => `law 2, recognise: only TypeScript gives ${text}`),
  ]
}

async function store(db: TestDatabase, model: BoundModel, events: readonly Recognised[]): Promise<void> {
  const ordered = [...events].sort(
    (x, y) =>
      Number(x.n) - Number(y.n) ||
      (x.step === y.step ? x.ordinal - y.ordinal : x.step === 'creation' ? -1 : 1),
  )
  const versions = new Map<string, number>()
  const stored = ordered.map((event) => {
    const version = (versions.get(event.n) ?? 0) + 1
    versions.set(event.n, version)
    return { ...event, version: String(version) }
  })
  const column = (of: (event: (typeof stored)[number]) => string) => stored.map(of)
  await db.admin.query(
    `insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
     select $1, n, v, t, d, o
     from unnest($2::text[], $3::int[], $4::text[], $5::jsonb[], $6::timestamptz[]) u(n, v, t, d, o)`,
    [
      model.name,
      column((e) => e.n),
      column((e) => e.version),
      column((e) => e.type),
      column((e) => e.data),
      column((e) => e.occurredAt),
    ],
  )
}

async function foldInBoth(
  session: Session,
  model: BoundModel,
  key: readonly KeyColumn[],
  pairs: readonly TextPair[],
): Promise<readonly string[]> {
  const source = { model, key: typedKey(model, key), events: { schema: 'public', table: 'events' } }
  const { found } = await session.one(compileVerifyStreams(source, sql`true`))
  const local = ofInstantSql({ temporal: 'timestamp' } as BoundColumn, 'occurred_at', model.timeZone)
  const stored = await session.rows(
    sql`select aggregate_id, version, type, schema_version, data::text as data, occurred_at::text as at, (${raw(local)})::text as local
      from public.events where aggregate_type = ${model.name} order by aggregate_id, version`,
  )
  const wrong = pairs.flatMap(({ n, after }) => {
    const mine = stored
      .filter((row) => row['aggregate_id'] === n)
      .map((row) => ({
        aggregateId: n,
        version: Number(row['version']),
        type: String(row['type']),
        schemaVersion: Number(row['schema_version']),
        data: String(row['data']),
        occurredAt: String(row['at']),
        localTime: String(row['local']),
      }))
    const { row } = foldStream(model, mine)
    const columns = model.columns.filter(({ name }) => (row?.[name] ?? null) !== after[name])
    return columns.map(
      ({ name }) =>
        `law 1, TypeScript: ${n} ${name}: ${JSON.stringify(row?.[name])} is not ${JSON.stringify(after[name])}`,
    )
  })
  return [...(found === '[]' ? [] : [`law 1, SQL: ${found}`]), ...wrong]
}
