import type { BoundModel } from '../definition/index.js'
import type { VerifySource } from './compile-verify-streams.js'
import { qualified } from './ident.js'
import { inlineQuery } from './inline-query.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { rowColumn, rowOfStreamSql } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'

/**
 * `copy (...) to stdout` of a range's events, ordered by stream and version, with each stream's row beside its first
 * version: one statement and so one snapshot. Fields: aggregate_id, version, type, schema_version, data, occurred_at,
 * local time (or NULL), metadata (NULL where no column has moved since events were written), found (`t` or NULL), then
 * the row's columns in the model's order. COPY writes each by its output function, which is the canonical text.
 *
 * The row stands beside version 1 only: a stream without one has a gap, whatever its row.
 */
export function compileReplayStream(source: VerifySource, streams: Query): string {
  const { model, key, events } = source
  const columns = model.columns.map((_, slot) => `r.${rowColumn(slot)}`)
  const query = sql`
    select e.aggregate_id, e.version, e.type, e.schema_version, e.data, e.occurred_at,
      ${raw(localTimeSql(model))} as local_time,
      ${raw((model.history ?? null) === null ? 'null' : 'e.metadata')} as metadata,
      ${raw(['r.found', ...columns].join(', '))}
    from ${raw(qualified(events.schema, events.table))} as e
    left join lateral (${raw(rowOfStreamSql(model, key, { id: 'e.aggregate_id', when: 'e.version = 1' }))}
    ) as r on true
    where e.aggregate_type = ${raw(literal(model.name))}
      and ${streams}
    order by e.aggregate_id, e.version`
  return `copy (${inlineQuery(query)}\n) to stdout`
}

/** SQL of an event's (alias `e`) time as timestamp text in the model's zone; NULL for UTC, where fold derives it. */
export function localTimeSql(model: BoundModel): string {
  if (model.timeZone === 'UTC') return 'null::pg_catalog.text'
  return `(e.occurred_at at time zone ${literal(model.timeZone)})::pg_catalog.text`
}
