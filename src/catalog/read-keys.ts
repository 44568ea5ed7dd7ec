import type { Session } from '../db/index.js'
import { ident, type Query, raw, sql } from '../sql/index.js'
import type { CatalogKey, CatalogKeyColumn } from './catalog-table.js'

/**
 * Reads the unique indexes that can identify a row, by the table's OID: valid btree indexes without predicate and
 * expression, on NOT NULL columns which the table doesn't compute (events carry no generated column), under the
 * collations of those columns: an index of another collation says of other values that they're different. Order:
 * immediate before deferrable, walkable before any other, the primary key, fewest columns, name; so that a table has the
 * same key in every environment whatever the order in which its indexes were made.
 */
export async function readKeys(
  session: Session,
  oids: readonly string[],
): Promise<ReadonlyMap<string, readonly CatalogKey[]>> {
  const tables = new Map<string, CatalogKey[]>()
  for (const [row, ...more] of byIndex(await session.rows<KeyRow>(keysQuery(oids)))) {
    const keys = tables.get(row.table_oid) ?? []
    keys.push({
      index: row.index,
      primary: row.primary === 't',
      deferrable: row.deferrable === 't',
      walkable: row.walkable === 't',
      columns: [row, ...more].map(keyColumn),
    })
    tables.set(row.table_oid, keys)
  }
  return tables
}

type KeyRow = Readonly<
  Record<
    'table_oid' | 'index_oid' | 'index' | 'primary' | 'deferrable' | 'walkable' | 'column' | 'as_base',
    string
  > &
    Record<'less_schema' | 'less' | 'equal_schema' | 'equal' | 'greater_schema' | 'greater', string>
>

function byIndex(rows: readonly KeyRow[]): readonly (readonly [KeyRow, ...KeyRow[]])[] {
  const groups = new Map<string, [KeyRow, ...KeyRow[]]>()
  for (const row of rows) {
    const group = groups.get(row.index_oid)
    if (group === undefined) groups.set(row.index_oid, [row])
    else group.push(row)
  }
  return [...groups.values()]
}

function keyColumn(row: KeyRow): CatalogKeyColumn {
  return {
    name: row.column,
    less: operator(row.less_schema, row.less),
    equal: operator(row.equal_schema, row.equal),
    greater: operator(row.greater_schema, row.greater),
    builtIn:
      [row.less_schema, row.equal_schema, row.greater_schema].every((schema) => schema === 'pg_catalog') &&
      row.less === '<' &&
      row.equal === '=' &&
      row.greater === '>',
    asBase: row.as_base === 't',
  }
}

/** An operator's name has no quoting: it can hold nothing but operator characters (pg_operator is checked by CREATE). */
function operator(schema: string, name: string): string {
  return schema === 'pg_catalog' ? `operator(pg_catalog.${name})` : `operator(${ident(schema)}.${name})`
}

/** btree strategy numbers: 1 less, 3 equal, 5 greater (src/include/access/stratnum.h). */
function keysQuery(oids: readonly string[]): Query {
  return sql`
    select i.indrelid::text as table_oid,
      i.indexrelid::text as index_oid,
      x.relname::text as index,
      i.indisprimary as primary,
      not i.indimmediate as deferrable,
      -- Bits 1 and 2: DESC, NULLS FIRST. All of both: a scan backwards gives the key from its least value up.
      0 = all (i.indoption::int2[]) or 3 = all (i.indoption::int2[]) as walkable,
      a.attname::text as column,
      t.typtype = 'd' and c.opcintype = any (
        '{anyenum,anyarray,anyrange,anymultirange,record}'::regtype[]) as as_base,
      ${strategy(1, 'less')},
      ${strategy(3, 'equal')},
      ${strategy(5, 'greater')}
    from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join pg_am m on m.oid = x.relam and m.amname = 'btree'
    cross join lateral unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as k (attnum, opclass, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    join pg_type t on t.oid = a.atttypid
    join pg_opclass c on c.oid = k.opclass
    cross join lateral (
      select ${side(1)}, ${side(3)}, ${side(5)}
      from pg_amop p
      join pg_operator o on o.oid = p.amopopr
      join pg_namespace n on n.oid = o.oprnamespace
      where p.amopfamily = c.opcfamily
        and p.amoplefttype = c.opcintype
        and p.amoprighttype = c.opcintype
        and p.amoppurpose = 's'
    ) s
    where i.indrelid = any(${oids}::oid[])
      and i.indisunique
      and i.indisvalid
      and i.indislive
      and i.indpred is null
      and i.indexprs is null
      and k.place <= i.indnkeyatts
      and not exists (
        select
        from unnest(i.indkey::int2[], i.indcollation::oid[]) with ordinality as part (attnum, collated, place)
        join pg_attribute nullable on nullable.attrelid = i.indrelid and nullable.attnum = part.attnum
        where part.place <= i.indnkeyatts
          and (not nullable.attnotnull or nullable.attgenerated <> ''
            or nullable.attcollation <> part.collated or exists (
            select from pg_constraint t
            where t.conrelid = i.indrelid
              and t.contype = 'n'
              and not t.convalidated
              and t.conkey[1] = part.attnum)))
    order by i.indrelid, not i.indimmediate,
      not (0 = all (i.indoption::int2[]) or 3 = all (i.indoption::int2[])), i.indisprimary desc, i.indnkeyatts, x.relname collate "C", k.place`
}

function side(number: 1 | 3 | 5) {
  return raw(
    `max(n.nspname::text) filter (where p.amopstrategy = ${number}) as schema_${number},
      max(o.oprname::text) filter (where p.amopstrategy = ${number}) as name_${number}`,
  )
}

function strategy(number: 1 | 3 | 5, name: string) {
  return raw(`s.schema_${number} as ${name}_schema, s.name_${number} as ${name}`)
}
