import type { BoundModel } from '../definition/index.js'
import { columnOf, streamIdSql } from './compile-encode.js'
import { compileRecognise, type EventSql, type RecogniseSql, typeLiteral } from './compile-recognise.js'
import { qualified } from './ident.js'
import { keyJson, keyOrder, keyRange, type TypedKey } from './key-range.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

export interface SliceInput {
  readonly model: BoundModel
  readonly key: TypedKey
  /** Where events are stored. */
  readonly events: { readonly schema: string; readonly table: string }
  /** Texts of the key after which the slice begins; null: at the start. */
  readonly after: readonly string[] | null
  /** Texts of the key with which the range ends. */
  readonly upTo: readonly string[] | null
  /** Rows at the most. */
  readonly limit: number
  /** JSON text: the metadata of every event; `"inferred": true` is added where no column told the time. */
  readonly metadata: string
  /** timestamptz text: the time of what neither a column nor a creation dates. */
  readonly runStartedAt: string
}

/**
 * The backfill's one statement: reads a slice of rows, recognises, and inserts events. One snapshot holds the rows; the
 * absence of a stream is decided by the unique index: the first version is inserted `on conflict do nothing`, all
 * others only for the streams it won, so that a stream is never a mixture of two writers' events.
 *
 * Result: one row `{ rows, streams, events, last }`; `last` is the key of the last row read as a JSON array of texts,
 * null where the range holds no row.
 */
export function compileSlice(input: SliceInput): Query {
  const recognition = sourceOf(input)
  const target = raw(qualified(input.events.schema, input.events.table))
  const columns = raw(
    'aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at',
  )
  const first = recognition.rec.events.filter(({ creates }) => creates)
  const rest = recognition.rec.events.filter(({ creates }) => !creates)
  const restInsert =
    rest.length === 0
      ? sql`select 1 where false`
      : sql`
    insert into ${target} (${columns})
    select ${input.model.name}::text, e.id, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at
    from (${unionAll(rest, input)}) e
    where (select count(*) from first) = (select count(*) from s)
      or e.id in (select f.aggregate_id from first f)
    order by e.n, e.version
    returning 1`
  return sql`
  with s as materialized (${recognition.source}),
  first as (
    insert into ${target} (${columns})
    select ${input.model.name}::text, e.id, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at
    from (${unionAll(first, input)}) e
    on conflict do nothing
    returning aggregate_id
  ),
  rest as (${restInsert})
  select (select count(*) from s) as rows,
    (select count(*) from first) as streams,
    (select count(*) from first) + (select count(*) from rest) as events,
    (select ${lastKey(input.model)} from s order by s.n desc limit 1) as last`
}

/**
 * What a slice would write, counted without writing: one row `{ rows, streams, events, last }`. `events: null` where
 * there is no events table yet: then no stream is there either.
 */
export function compileDryRun(
  input: Omit<SliceInput, 'events' | 'metadata'> & { readonly events: SliceInput['events'] | null },
): Query {
  const { rec, source } = sourceOf(input)
  const fresh =
    input.events === null
      ? sql`true`
      : sql`(
      select 1
      from ${raw(qualified(input.events.schema, input.events.table))} e
      where e.aggregate_type = ${input.model.name}::text
      and e.aggregate_id = s.id
      and e.version = 1
      limit 1
    ) is null`
  return sql`
  with s as materialized (${source}),
  counted as (
    select s.*, ${raw(rec.count)} as events, ${fresh} as fresh
    from s
  )
  select count(*) as rows,
    count(*) filter (where s.fresh) as streams,
    coalesce(sum(s.events) filter (where s.fresh), 0) as events,
    (select ${lastKey(input.model)} from s order by s.n desc limit 1) as last
  from counted s`
}

type SourceInput = Pick<SliceInput, 'model' | 'key' | 'after' | 'upTo' | 'limit' | 'runStartedAt'>

function sourceOf(input: SourceInput): { readonly rec: RecogniseSql; readonly source: Query } {
  const { model, key } = input
  // The texts of compiled SQL hold no parameters: the two that it needs are spliced in by name below.
  const rec = compileRecognise(model, {
    from: `rows_of_slice a cross join run_of_slice`,
    sides: { before: null, after: columnOf('a') },
    // The events' own collation: two that differ could not be compared.
    select: [`(${streamIdSql(model, columnOf('a'))}) collate "C" as id`, 'row_number() over () as n'],
    now: 'run_of_slice.started_at',
    backfill: true,
  })
  return {
    rec,
    source: sql`
    with rows_of_slice as not materialized (
      select a.*
      from ${raw(qualified(model.schema, model.table))} a
      where ${keyRange(key, 'a', input.after, input.upTo)}
      order by ${raw(keyOrder(key, 'a'))}
      limit ${String(input.limit)}::bigint
    ),
    run_of_slice as not materialized (select ${input.runStartedAt}::timestamptz as started_at)
    ${raw(rec.source)}`,
  }
}

function unionAll(events: readonly EventSql[], input: SliceInput): Query {
  const branches = events.map(
    (event) => sql`
      select s.n, s.id, ${raw(event.ordinal)} as version, ${raw(typeLiteral(event))} as type,
        ${raw(String(event.schemaVersion))} as schema_version, ${raw(event.data)} as data,
        ${metadata(event, input)} as metadata, ${raw(event.occurredAt)} as occurred_at
      from s
      where ${raw(event.where)}`,
  )
  return branches.reduce((left, right) => sql`${left} union all ${right}`)
}

function metadata(event: EventSql, input: SliceInput): Query {
  const told = sql`${input.metadata}::jsonb`
  const inferred = sql`${told} || '{"inferred":true}'::jsonb`
  if (event.inferred === 'true') return sql`(${inferred})`
  return sql`case when ${raw(event.inferred)} then ${inferred} else ${told} end`
}

function lastKey(model: BoundModel) {
  const attnum = new Map(model.columns.map((column) => [column.name, column.attnum]))
  return raw(keyJson(model, (name) => `s.a${attnum.get(name)}`))
}
