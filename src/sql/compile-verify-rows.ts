import { columnOf, streamIdSql } from './compile-encode.js'
import type { VerifySource } from './compile-verify-streams.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

/**
 * SQL of the pass over rows for one range of the key (a condition on alias `t`). One row: `rows`, `differences`
 * (counts), `found` (JSON array of the stream ids that rows should have and have not, in order).
 *
 * The probe is a scalar subquery with LIMIT: an anti join becomes a hash of all events where they were never analysed.
 */
export function compileVerifyRows({ model, events }: VerifySource, rows: Query): Query {
  return sql`
    select pg_catalog.count(*) as rows,
      pg_catalog.count(*) filter (where c.missing) as differences,
      coalesce(pg_catalog.jsonb_agg(c.id order by c.id collate "C") filter (where c.missing), '[]') as found
    from (
      select s.id,
        (
          select true
          from ${raw(qualified(events.schema, events.table))} as e
          where e.aggregate_type = ${raw(literal(model.name))}
            and e.aggregate_id = s.id collate "C"
          limit 1
        ) is null as missing
      from (
        select ${raw(streamIdSql(model, columnOf('t')))} as id
        from ${raw(qualified(model.schema, model.table))} as t
        where ${rows}
      ) as s
    ) as c`
}
