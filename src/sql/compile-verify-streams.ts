import type { BoundColumn, BoundModel } from '../definition/index.js'
import { decodeSql, differsSql } from './compile-encode.js'
import { compileFoldStreams, type EventsName, STREAM_SQL } from './compile-fold.js'
import type { TypedKey } from './key-range.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { rowColumn, rowOfStreamSql } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'

/** Where a verify reads: the model, the key's operators, the events table. */
export interface VerifySource {
  readonly model: BoundModel
  readonly key: TypedKey
  readonly events: EventsName
}

/**
 * SQL of the pass over streams for one range, one statement and so one snapshot of rows and events. One row:
 * `streams`, `events`, `differences` (counts), `found` (JSON array of [aggregate_id, kind], in order of id).
 *
 * Each column of the live table is decoded to its type and compared as canonical text; a generated column is left out.
 * Raises class 22 where an event's text is no value of its column, or an id none of the key.
 */
export function compileVerifyStreams(
  source: VerifySource,
  streams: Query,
  options: { readonly one?: boolean } = {},
): Query {
  return sql`
    select pg_catalog.count(*) as streams,
      coalesce(pg_catalog.sum(c.events), 0) as events,
      pg_catalog.count(c.kind) as differences,
      coalesce(
        pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(c.aggregate_id, c.kind) order by c.aggregate_id)
          filter (where c.kind is not null),
        '[]') as found
    from (
      select f.aggregate_id,
        f.events,
        ${raw(kindSql(source.model))} as kind
      from (${compileFoldStreams(source.model, source.events, streams, options)}
      ) as f
      left join lateral (${raw(rowOfStreamSql(source.model, source.key, { id: 'f.aggregate_id' }))}
      ) as r on true
    ) as c`
}

/** The one kind of difference of a stream, or NULL: what makes the others meaningless comes first. */
export function kindSql(model: BoundModel): string {
  const differing = model.columns.map((column, slot) => columnDiffers(model, column, slot))
  return `case
          when ${STREAM_SQL.hasGap} then 'version_gap'
          when ${STREAM_SQL.hasUnknown} then 'unknown_event'
          when ${STREAM_SQL.changesNothing} then 'not_created'
          when ${STREAM_SQL.createsAgain} then 'created_twice'
          when not (${STREAM_SQL.isAlive}) then case when r.found then 'dead_stream' end
          when r.found is null then 'missing_row'
          when ${differing.join('\n            or ') || 'false'} then 'row_differs'
        end`
}

function columnDiffers(model: BoundModel, column: BoundColumn, slot: number): string {
  const differs = `(${differsSql(column, `r.${rowColumn(slot)}`, decodeMember(column))})`
  // The key is the stream's id, by which the row was found, unless an event says otherwise.
  return model.key.includes(column.name) ? `(f.folded ? ${literal(column.name)} and ${differs})` : differs
}

/** As `decodeSql` of the member, in one step instead of two: this is done for each column of each stream. */
function decodeMember(column: BoundColumn): string {
  const name = literal(column.name)
  if (column.encoding === 'jsonb') return `(${decodeSql(column, `(f.folded -> ${name})`)})`
  return column.plainText ? `(f.folded ->> ${name})` : `((f.folded ->> ${name})::${column.castType})`
}
