import type { VerifySource } from './compile-verify-streams.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'
import { type StreamRange, streamRangeSql } from './verify-range.js'

/** SQL of how to halve a range: `streams`, `events` (counts) and `middle`, the id up to which half of its streams lie. */
export function compileMiddleStream({ model, events }: VerifySource, range: StreamRange): Query {
  return sql`
    select pg_catalog.count(*) as streams,
      coalesce(pg_catalog.sum(s.events), 0) as events,
      (pg_catalog.array_agg(s.aggregate_id order by s.aggregate_id))[(pg_catalog.count(*) + 1) / 2] as middle
    from (
      select e.aggregate_id, pg_catalog.count(*) as events
      from ${raw(qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${raw(literal(model.name))}
        and ${streamRangeSql(range)}
      group by e.aggregate_id
    ) as s`
}
