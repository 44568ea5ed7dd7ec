import { textSql } from './compile-encode.js'
import { compileFoldStreams, STREAM_SQL } from './compile-fold.js'
import { localTimeSql } from './compile-replay-stream.js'
import type { VerifySource } from './compile-verify-streams.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { rowColumn, rowOfStreamSql } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'
import { streamRangeSql } from './verify-range.js'

/**
 * SQL of one differing stream, in one snapshot. One row:
 *
 * - `present`: JSON array of the row's texts in the model's order, or NULL where there is no row;
 * - `folded`: JSON object of raw texts by column as the set-based fold has them, or NULL where it ends in nothing;
 * - `stream`: JSON array of the events in order of version, each [version, type, schema_version, data, occurred_at,
 *   local time, metadata], all texts.
 *
 * Decodes nothing, so a text that is no value of its column raises nothing; an id that is none of the key does.
 */
export function compileVerifyDetail(source: VerifySource, id: string): Query {
  const { model } = source
  const texts = model.columns.map((column, slot) => textSql(column, `r.${rowColumn(slot)}`))
  return sql`
    select case when r.found then pg_catalog.to_json(array[${raw(texts.join(', '))}]::pg_catalog.text[]) end as present,
      f.folded as folded,
      (${compileStreamEvents(source, id)}) as stream
    from (select ${id}::pg_catalog.text as id) as s
    left join lateral (${raw(rowOfStreamSql(model, source.key, { id: 's.id' }))}
    ) as r on true
    left join lateral (
      select case when ${raw(STREAM_SQL.isAlive)} then ${raw(RAW_TEXTS)} end as folded
      from (${compileFoldStreams(model, source.events, streamRangeSql({ only: id }), { one: true })}
      ) as f
    ) as f on true`
}

/** Of all members, also those that name no column: whoever reads it asks by column. */
const RAW_TEXTS = `(
        select coalesce(pg_catalog.jsonb_object_agg(m.key, m.value), '{}')
        from pg_catalog.jsonb_each_text(f.folded) as m
      )`

/** SQL of a stream's events, in order of version, as one JSON array of arrays of texts; NULL where there are none. */
export function compileStreamEvents({ model, events }: VerifySource, id: string): Query {
  return sql`
        select pg_catalog.json_agg(
            pg_catalog.json_build_array(e.version::pg_catalog.text, e.type, e.schema_version::pg_catalog.text,
              e.data::pg_catalog.text, e.occurred_at::pg_catalog.text, ${raw(localTimeSql(model))},
              e.metadata::pg_catalog.text)
            order by e.version)
        from ${raw(qualified(events.schema, events.table))} as e
        where e.aggregate_type = ${raw(literal(model.name))}
          and ${streamRangeSql({ only: id })}`
}
