import type { EventsName } from './compile-fold.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

/** Streams whose ids lie in (after, upTo], in the order of collation C (null is no border), or the one of an id. */
export type StreamRange =
  | { readonly after: string | null; readonly upTo: string | null }
  | { readonly only: string }

/** SQL condition on alias `e` of the events table: the streams of the range. The column's own collation is C. */
export function streamRangeSql(range: StreamRange): Query {
  if ('only' in range) return sql`e.aggregate_id = ${range.only}::pg_catalog.text`
  const { after, upTo } = range
  const lower = after === null ? sql`true` : sql`e.aggregate_id > ${after}::pg_catalog.text`
  const upper = upTo === null ? sql`true` : sql`e.aggregate_id <= ${upTo}::pg_catalog.text`
  return sql`${lower}
        and ${upper}`
}

/**
 * SQL of the next border of a pass over streams: `boundary` is the id of the stream in which the event stands that is
 * `events` further, or null where fewer are left. Counted in events, so that long streams make short ranges.
 */
export function compileStreamBoundary(
  model: { readonly name: string },
  events: EventsName,
  { after, size }: { readonly after: string | null; readonly size: number },
): Query {
  return sql`
    select (
      select e.aggregate_id
      from ${raw(qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${raw(literal(model.name))}
        and ${streamRangeSql({ after, upTo: null })}
      order by e.aggregate_id, e.version
      offset ${String(size)}::pg_catalog.int8
      limit 1
    ) as boundary`
}
