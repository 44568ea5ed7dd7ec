import type { Session } from '../db/index.js'
import { type Query, sql } from '../sql/index.js'

/**
 * A text that differs where DDL has changed what a row of a table is, or how its key sorts, between two askings: OID,
 * columns (dropped ones too), and what `readKeyShape` tells. Where the rows lie is left out: VACUUM FULL changes
 * nothing. One look at the catalog; ask it under a lock on the table, or it's old at once. Empty where there is no such
 * table. For comparing with itself only.
 *
 * @param key the columns of its key, in key order; left out, the key is not looked at.
 */
export async function readRowShape(
  session: Session,
  schema: string,
  table: string,
  key: readonly string[] = [],
): Promise<string> {
  return shapeOf(session, rowShapeQuery(schema, table, key))
}

/**
 * A text that differs where ranges of a key that were stored mean other rows: the table's OID, and for each column of
 * the key its type, operator class and collation, with the version of that.
 */
export async function readKeyShape(
  session: Session,
  schema: string,
  table: string,
  key: readonly string[],
): Promise<string> {
  return shapeOf(
    session,
    sql`
    select json_build_array(c.oid, ${keyShape(key)})::text as shape
    ${relation(schema, table)}`,
  )
}

/** The statement of `readRowShape`: `{ shape }`, or no row. Pure. */
export function rowShapeQuery(schema: string, table: string, key: readonly string[]): Query {
  return sql`
    select json_build_array(c.oid, (
        select json_agg(json_build_array(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,
          a.attgenerated, a.attisdropped) order by a.attnum)
        from pg_attribute a
        where a.attrelid = c.oid
          and a.attnum > 0
      ), ${keyShape(key)})::text as shape
    ${relation(schema, table)}`
}

async function shapeOf(session: Session, query: Query): Promise<string> {
  const [found] = await session.rows<{ shape: string }>(query)
  return found?.shape ?? ''
}

function relation(schema: string, table: string): Query {
  return sql`from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema}::text
      and c.relname = ${table}::text`
}

/**
 * Of the index that `readKeys` would take for these columns. Its name and OID are left out: REINDEX CONCURRENTLY makes
 * another. The database's own collation has its version in pg_database, since PostgreSQL 15.
 */
function keyShape(key: readonly string[]): Query {
  return sql`(
        select json_agg(json_build_array(a.attnum, a.atttypid, k.opclass, k.coll, l.collversion,
          pg_collation_actual_version(l.oid), case when l.collprovider = 'd' then (
            select to_jsonb(d) ->> 'datcollversion'
            from pg_database d
            where d.datname = current_database()
          ) end) order by k.place)
        from (
          select i.*
          from pg_index i
          join pg_class x on x.oid = i.indexrelid
          join pg_am m on m.oid = x.relam and m.amname = 'btree'
          where i.indrelid = c.oid
            and i.indisunique
            and i.indisvalid
            and i.indislive
            and i.indimmediate
            and i.indpred is null
            and i.indexprs is null
            and ${key}::text[] = (
              select array_agg(p.attname::text order by part.place)
              from unnest(i.indkey::int2[]) with ordinality as part (attnum, place)
              join pg_attribute p on p.attrelid = i.indrelid and p.attnum = part.attnum
              where part.place <= i.indnkeyatts)
          order by i.indisprimary desc, x.relname collate "C"
          limit 1
        ) i
        cross join lateral unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[])
          with ordinality as k (attnum, opclass, coll, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        left join pg_collation l on l.oid = k.coll
        where k.place <= i.indnkeyatts
      )`
}
