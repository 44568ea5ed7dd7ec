import { type BoundModel, type EventShape, RESIDUE_MEMBER } from '../definition/index.js'
import { encodeText } from '../encode/index.js'
import { declaredPaths, type FoldedAs } from '../fold/index.js'
import { keyColumns, objectSql } from './compile-encode.js'
import { ofInstantSql } from './compile-instant.js'
import { upcastSql } from './compile-upcast.js'
import { IS_COLD, type SqlView, sqlViews } from './fold-view.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

/** The events table's name. */
export interface EventsName {
  readonly schema: string
  readonly table: string
}

/**
 * SQL of fold over whole streams: the twin of `foldStream`. One row per stream:
 *
 * - `aggregate_id`;
 * - `events` (count) and `last_version`: they differ where versions are not dense;
 * - `effects`: one letter per event (per part of one that was split), in order: c creates, u changes, d deletes,
 *   ? unknown;
 * - `folded`: jsonb, column name -> encoded value, as the events left it. Absent means NULL. Members that name no
 *   column, and key columns that no event carried, are nobody's. Meaningless where the row is dead.
 *
 * `streams` is a condition on alias `e` of the events table. Events come through an ordered subquery, which the
 * (aggregate_id, version) index feeds without a sort; ORDER BY inside the aggregate would sort each group before
 * PostgreSQL 16. What is folded is merged with nothing: a stream of one event would else hand on its data as it is
 * stored, to be decompressed again for each column that is read from it.
 *
 * `one`: the condition leaves one stream. Its id is a constant then, so that the planner orders by version alone, and
 * GROUP BY would have it sort by the id anew: by equal keys, which a sort that spills to disk mixes.
 *
 * `from`: SQL of a relation with the columns of the events table, instead of that.
 */
export function compileFoldStreams(
  model: BoundModel,
  events: EventsName,
  streams: Query,
  { one = false, from }: { readonly one?: boolean; readonly from?: string } = {},
): Query {
  return sql`
    select ${raw(one ? 'pg_catalog.min(d.aggregate_id) as aggregate_id' : 'd.aggregate_id')},
      pg_catalog.count(*) as events,
      pg_catalog.max(d.version) as last_version,
      pg_catalog.string_agg(d.effect, '') as effects,
      eventward.jsonb_cat(d.delta) || ${raw(EMPTY)} as folded
    from (
      select e.aggregate_id,
        e.version,
        ${raw(effectSql(model))} as effect,
        ${raw(deltaSql(model))} as delta
      from ${raw(from ?? qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${raw(literal(model.name))}
        and ${streams}
      order by e.aggregate_id, e.version
    ) as d
    ${raw(one ? 'having pg_catalog.count(*) > 0' : 'group by d.aggregate_id')}`
}

/** SQL conditions on `effects`, alike for each engine's report. `f` is the alias of a folded stream. */
export const STREAM_SQL = {
  hasGap: 'f.events <> f.last_version',
  hasUnknown: `pg_catalog.strpos(f.effects, '?') > 0`,
  changesNothing: `(f.effects like 'u%' or f.effects like 'd%' or pg_catalog.strpos(f.effects, 'du') > 0 or pg_catalog.strpos(f.effects, 'dd') > 0)`,
  createsAgain: `pg_catalog.strpos(pg_catalog.replace(f.effects, 'u', ''), 'cc') > 0`,
  isAlive: `pg_catalog.rtrim(f.effects, 'u?') like '%c'`,
} as const

const LETTER = { creates: 'c', changes: 'u', deletes: 'd' } as const

function effectSql(model: BoundModel): string {
  return perVersion(model, (as) => `'${as.map(({ shape }) => LETTER[shape.effect]).join('')}'`, `'?'`)
}

/** What one event (alias `e`) sets, as jsonb. */
function deltaSql(model: BoundModel): string {
  const live = perVersion(model, (as) => deltaOf(as, (shape, data) => shapeDelta(model, shape, data)), EMPTY)
  const views = sqlViews(model, false)
  if (views.length === 0) return live
  const ofShapes = (view: SqlView) =>
    perVersion(model, (as) => deltaOf(as, (shape, data) => viewDelta(model, view, shape, data)), EMPTY)
  const ofView = (view: SqlView) => (view.live ? live : ofShapes(view))
  const cold = perView(sqlViews(model, true), ofShapes)
  return `case when ${IS_COLD} then ${cold} else ${perView(views, ofView)} end`
}

/** By the row shape that the metadata name; the oldest one where they name none that is known. */
function perView(views: readonly SqlView[], of: (view: SqlView) => string): string {
  const [oldest, ...others] = views
  if (oldest === undefined) return EMPTY
  const branches = others.map((view) => `when ${literal(view.shape.id)} then ${of(view)}`)
  return branches.length === 0
    ? of(oldest)
    : `case e.metadata ->> 'shape' ${branches.join('\n          ')} else ${of(oldest)} end`
}

/** In the writer's names first, then renamed: so that what each member means is decided once. */
function viewDelta(model: BoundModel, view: SqlView, shape: EventShape, data: string): string {
  if (shape.effect === 'deletes') return EMPTY
  const then = view.eventShape(shape)
  const parts = [
    ...constantPart(view.model, then),
    ...boundPart(view.model, then),
    ...renamedPart(view.model, then, data),
    memberPart(view.model, then, data, true),
  ]
  const delta = view.renamed(`(${parts.join(' || ')})`)
  if (shape.effect !== 'creates') return delta
  const started = view.fills === null ? delta : `${view.fills} || ${delta}`
  return `case when e.version > 1 then ${blankRow(model)} || ${started} else ${started} end`
}

const EMPTY = `'{}'::pg_catalog.jsonb`

/** Event types first: most models have one schema version of each. What code does is unknown here. */
function perVersion(model: BoundModel, of: (as: readonly FoldedAs[]) => string, otherwise: string): string {
  const branches = declaredPaths(model).map(
    ({ type, schemaVersion, as }) =>
      `when e.type = ${literal(type)} and e.schema_version = ${schemaVersion} then ${of(as)}`,
  )
  return branches.length === 0 ? otherwise : `case ${branches.join('\n          ')} else ${otherwise} end`
}

/** The deltas of the parts as which an event is read, one over the other; of most events itself. */
function deltaOf(as: readonly FoldedAs[], of: (shape: EventShape, data: string) => string): string {
  const parts = as.map(({ shape, steps }) =>
    steps.length === 0
      ? of(shape, 'e.data')
      : `(select ${of(shape, 'x.data')} from (select ${upcastSql('e.data', steps)} as data) as x)`,
  )
  return parts.length === 1 ? parts.join('') : `(${parts.map((part) => `(${part})`).join(' || ')})`
}

/** A later part wins, as a later event does. */
function shapeDelta(model: BoundModel, shape: EventShape, data: string): string {
  if (shape.effect === 'deletes') return EMPTY
  const parts = [
    ...constantPart(model, shape),
    ...boundPart(model, shape),
    ...renamedPart(model, shape, data),
    memberPart(model, shape, data),
  ]
  const delta = parts.join(' || ')
  if (shape.effect !== 'creates') return parts.length === 1 ? delta : `(${delta})`
  return `case when e.version > 1 then ${blankRow(model)} || ${delta} else ${delta} end`
}

/** A creation that is not a stream's first event starts anew: what came before must not show through. */
function blankRow(model: BoundModel): string {
  const blank = model.columns
    .filter(({ name }) => !model.key.includes(name))
    .map(({ name }) => `${JSON.stringify(name)}:null`)
  const parts = model.key.map((_, part) =>
    model.key.length === 1
      ? 'pg_catalog.to_jsonb(e.aggregate_id)'
      : `(e.aggregate_id::pg_catalog.jsonb -> ${part})`,
  )
  const key = objectSql(keyColumns(model).map(({ name }, part) => [name, parts[part] ?? 'null']))
  return `${literal(`{${blank.join(',')}}`)}::pg_catalog.jsonb || ${key}`
}

function constantPart(model: BoundModel, shape: EventShape): readonly string[] {
  const members = shape.constants.flatMap(({ column: name, value }) => {
    const column = model.columns.find((candidate) => candidate.name === name)
    return column === undefined ? [] : [`${JSON.stringify(name)}:${encodeText(column.encoding, value)}`]
  })
  return members.length === 0 ? [] : [`${literal(`{${members.join(',')}}`)}::pg_catalog.jsonb`]
}

function boundPart(model: BoundModel, shape: EventShape): readonly string[] {
  const pairs = shape.bound.flatMap((name) => {
    const column = model.columns.find((candidate) => candidate.name === name)
    if (column === undefined) return []
    // All time types' casts to text call their output function.
    const text = `${ofInstantSql(column, 'e.occurred_at', model.timeZone)}::pg_catalog.text`
    return [[name, `pg_catalog.to_jsonb(${text})`] as const]
  })
  return pairs.length === 0 ? [] : [objectSql(pairs)]
}

/** Attributes that bear another name than their column. One that is absent sets nothing. */
function renamedPart(model: BoundModel, shape: EventShape, data: string): readonly string[] {
  const renamed = shape.data.filter(
    ({ attribute, column }) =>
      attribute !== column && model.columns.some((candidate) => candidate.name === column),
  )
  if (renamed.length === 0) return []
  const all = objectSql(
    renamed.map(({ attribute, column }) => [column, `(${data} -> ${literal(attribute)})`]),
  )
  const each = renamed.map(
    ({ attribute, column }) =>
      `case when ${data} ? ${literal(attribute)} then pg_catalog.jsonb_build_object(${literal(column)}, ${data} -> ${literal(attribute)}) else ${EMPTY} end`,
  )
  const names = renamed.map(({ attribute }) => literal(attribute)).join(', ')
  return [
    `case when not ${isObject(data)} then ${EMPTY} when ${data} ?& array[${names}] then ${all} else ${each.join(' || ')} end`,
  ]
}

const isObject = (data: string) => `pg_catalog.jsonb_typeof(${data}) = 'object'`

/**
 * The members of `data` that bear their column's name, then those of the residue. Facts and renamed attributes are
 * taken out where they bear the name of some column (or all of them: what a name means is yet to be seen); what else
 * names no column is read by nobody.
 */
function memberPart(model: BoundModel, shape: EventShape, data: string, all = false): string {
  const foreign = [
    ...shape.facts,
    ...shape.data.filter(({ attribute, column }) => attribute !== column).map(({ attribute }) => attribute),
  ].filter((name) => all || model.columns.some((column) => column.name === name))
  const removed = [...new Set(foreign)]
  const residue = literal(RESIDUE_MEMBER)
  const own = removed.length === 0 ? data : `(${data} - array[${removed.map(literal).join(', ')}])`
  const carried = `case when pg_catalog.jsonb_typeof(${data} -> ${residue}) = 'object' then ${data} -> ${residue} else ${EMPTY} end`
  return `case when not ${isObject(data)} then ${EMPTY} when ${data} ? ${residue} then (${own} - ${residue}) || ${carried} else ${own} end`
}
