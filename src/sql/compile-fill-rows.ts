import type { BoundModel } from '../definition/index.js'
import { decodeSql, keyColumns } from './compile-encode.js'
import { compileFoldStreams, type EventsName, STREAM_SQL } from './compile-fold.js'
import { ident, qualified } from './ident.js'
import type { TypedKey } from './key-range.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { isRowOfStreamSql, keyPartSql, rowColumn } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'

/**
 * SQL of the rows that streams come to, by the set-based fold: `id`, `problem` (its kind, or NULL), `alive`, and the
 * model's columns as `c0`, `c1`, ..., of their types. `streams` is a condition on alias `e` of the events table.
 */
export function foldedRowsSql(model: BoundModel, events: EventsName, streams: Query): Query {
  const keys = keyColumns(model)
  const values = model.columns.map((column, slot) => {
    const member = `(f.folded -> ${literal(column.name)})`
    const decoded = decodeSql(column, member)
    const part = keys.indexOf(column)
    // The key is the stream's id, unless an event says otherwise.
    const value =
      part === -1
        ? decoded
        : `case when f.folded ? ${literal(column.name)} then ${decoded} else ${keyPartSql(model, column, part, 'f.aggregate_id')} end`
    return `${value} as ${rowColumn(slot)}`
  })
  return sql`
    select f.aggregate_id as id,
      case
        when ${raw(STREAM_SQL.hasGap)} then 'version_gap'
        when ${raw(STREAM_SQL.hasUnknown)} then 'unknown_event'
        when ${raw(STREAM_SQL.changesNothing)} then 'not_created'
        when ${raw(STREAM_SQL.createsAgain)} then 'created_twice'
      end as problem,
      ${raw(STREAM_SQL.isAlive)} as alive,
      ${raw(values.join(',\n      '))}
    from (${compileFoldStreams(model, events, streams)}
    ) as f`
}

/** The same of rows that were folded elsewhere: `rows` is the text of a JSON array of [id, text or null, ...]. */
export function givenRowsSql(model: BoundModel, rows: string): Query {
  const values = model.columns.map(
    (column, slot) => `(g.r ->> ${slot + 1})::${column.castType} as ${rowColumn(slot)}`,
  )
  return sql`
    select g.r ->> 0 as id, null::pg_catalog.text as problem, true as alive, ${raw(values.join(', '))}
    from pg_catalog.json_array_elements(${rows}::pg_catalog.json) as g (r)`
}

/**
 * SQL that inserts rows (as the two above give them) into the table, every column as it is, identity columns that are
 * always generated too; NULL in those of `without`, whatever their default. One row: `streams`, `rows` (counts), `bad` (JSON of [id, problem] of a
 * stream that can't be folded, or NULL: then nothing is inserted).
 */
export function compileFillRows(model: BoundModel, rows: Query, without: readonly string[] = []): Query {
  const values = model.columns.map(({ name, castType }, slot) =>
    without.includes(name) ? `null::${castType}` : `s.${rowColumn(slot)}`,
  )
  return sql`
    with s as materialized (${rows}
    ),
    bad as (
      select s.id, s.problem
      from s
      where s.problem is not null
      order by s.id
      limit 1
    ),
    filled as (
      insert into ${raw(qualified(model.schema, model.table))} (${raw(model.columns.map(({ name }) => ident(name)).join(', '))})
      overriding system value
      select ${raw(values.join(', '))}
      from s
      where s.alive
        and not exists (select from bad)
      returning 1
    )
    select (select pg_catalog.count(*) from s) as streams,
      (select pg_catalog.count(*) from filled) as rows,
      (select pg_catalog.json_build_array(b.id, b.problem) from bad as b) as bad`
}

/** SQL that sets the columns which `compileFillRows` left out, where they aren't NULL. */
export function compileLinkRows(
  model: BoundModel,
  key: TypedKey,
  rows: Query,
  columns: readonly string[],
): Query {
  const slots = model.columns.flatMap(({ name }, slot) => (columns.includes(name) ? [{ name, slot }] : []))
  const set = slots.map(({ name, slot }) => `${ident(name)} = s.${rowColumn(slot)}`)
  const some = slots.map(({ slot }) => `s.${rowColumn(slot)} is not null`)
  return sql`
    with s as materialized (${rows}
    )
    update ${raw(qualified(model.schema, model.table))} as t
    set ${raw(set.join(', '))}
    from s
    where s.alive
      and (${raw(some.join(' or '))})
      and ${raw(isRowOfStreamSql(model, key, 's.id'))}`
}
