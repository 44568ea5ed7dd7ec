import { compileFoldStreams } from './compile-fold.js'
import { kindSql, type VerifySource } from './compile-verify-streams.js'
import { qualified } from './ident.js'
import { literal } from './literal.js'
import type { Query } from './query.js'
import { rowOfStreamSql } from './row-of-stream.js'
import { raw, sql } from './sql-tag.js'

/**
 * A moment, from which on what is written counts as new: a snapshot, and a position below which nothing lies that this
 * snapshot doesn't see. Texts, as the server writes them.
 */
export interface Mark {
  readonly snapshot: string
  readonly horizon: string
}

/** SQL of the ids (column `id`) of the streams that have an event which the mark's snapshot does not see. */
export function touchedSinceSql(source: VerifySource, mark: Mark): Query {
  return sql`
        select distinct e.aggregate_id as id
        ${touchedSql(source, mark)}`
}

/** What was written between two marks, from a position on. */
export interface Between {
  readonly from: Mark
  readonly to: Mark
  readonly after: string
  readonly limit: number
}

/**
 * SQL of the next events, in order of position, which `to` sees and `from` doesn't: `ids` (JSON array, each id once),
 * `events` (count), `last` (the position to go on after, or null where there are none). Bounded by `to`: whoever pages
 * on while others write would else never come to an end.
 */
export function compileTouchedPage(source: VerifySource, { from, to, after, limit }: Between): Query {
  return sql`
    select coalesce(pg_catalog.jsonb_agg(distinct p.id), '[]') as ids,
      pg_catalog.count(*) as events,
      pg_catalog.max(p.position) as last
    from (
      select e.aggregate_id as id, e.position
      ${touchedSql(source, from)}
        and pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${to.snapshot}::pg_catalog.pg_snapshot)
        and e.position > ${after}::pg_catalog.int8
      order by e.position
      limit ${String(limit)}::pg_catalog.int8
    ) as p`
}

function touchedSql({ model, events }: VerifySource, { snapshot, horizon }: Mark): Query {
  return sql`from ${raw(qualified(events.schema, events.table))} as e
        where e.aggregate_type = ${raw(literal(model.name))}
          and e.position > ${horizon}::pg_catalog.int8
          and not pg_catalog.pg_visible_in_snapshot(e.transaction_id, ${snapshot}::pg_catalog.pg_snapshot)`
}

/**
 * SQL that verifies a set of streams, given as SQL that yields their ids (column `id`), each with the row that it
 * should be, whichever of the two is there: one statement, one snapshot. One row: `streams`, `rows`, `events`,
 * `differences` (counts), `found` (JSON array of [id, kind], in order of id).
 *
 * Each stream is folded by itself, by an index probe: a condition `= any (ids)` beside a set-based fold makes the
 * planner read whole tables. So it's for hundreds of streams at a time, not for all of them.
 * Raises class 22 where an event's text is no value of its column, or an id none of the key.
 */
export function compileVerifySet(source: VerifySource, ids: Query): Query {
  const { model, key, events } = source
  return sql`
    select pg_catalog.count(c.events) as streams,
      pg_catalog.count(c.found) as rows,
      coalesce(pg_catalog.sum(c.events), 0) as events,
      pg_catalog.count(c.kind) as differences,
      coalesce(
        pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(c.id, c.kind) order by c.id collate "C")
          filter (where c.kind is not null),
        '[]') as found
    from (
      select s.id,
        f.events,
        r.found,
        case
          when f.events is null then case when r.found then 'missing_stream' end
          else ${raw(kindSql(model))}
        end as kind
      from (${ids}
      ) as s
      left join lateral (${compileFoldStreams(model, events, sql`e.aggregate_id = s.id collate "C"`, { one: true })}
      ) as f on true
      left join lateral (${raw(rowOfStreamSql(model, key, { id: 's.id' }))}
      ) as r on true
    ) as c`
}

/** SQL of a list of ids, for `compileVerifySet`. */
export function idsSql(ids: readonly string[]): Query {
  return sql`
        select i.id
        from pg_catalog.unnest(${ids}::pg_catalog.text[]) as i (id)`
}
