import type { Session } from '../db/index.js'
import { type Query, qualified, sql } from '../sql/index.js'
import type { CatalogColumn } from './catalog-table.js'

/** Reads the columns of tables, in catalog order, by the table's OID. Dropped and system columns are left out. */
export async function readColumns(
  session: Session,
  oids: readonly string[],
): Promise<ReadonlyMap<string, readonly CatalogColumn[]>> {
  const tables = new Map<string, CatalogColumn[]>()
  for (const row of await session.rows<ColumnRow>(columnsQuery(oids))) {
    const columns = tables.get(row.table_oid) ?? []
    columns.push(columnOf(row))
    tables.set(row.table_oid, columns)
  }
  return tables
}

type ColumnRow = Readonly<
  Record<'table_oid' | 'name' | 'attnum' | 'type_oid' | 'type' | 'nullable' | 'generated', string> &
    Record<'base_name' | 'base_schema' | 'base_kind' | 'base_category', string> &
    Record<'domain' | 'identity' | 'deterministic' | 'own_text_cast', string> &
    Record<'default_expression' | 'enum_labels', string | null>
>

function columnOf(row: ColumnRow): CatalogColumn {
  return {
    name: row.name,
    attnum: Number.parseInt(row.attnum, 10),
    typeOid: row.type_oid,
    type: row.type,
    castType: `${row.own_text_cast === 't' ? 'pg_catalog.bpchar::' : ''}${qualified(row.base_schema, row.base_name)}`,
    baseTypeName: row.base_name,
    baseTypeSchema: row.base_schema,
    baseTypeKind: row.base_kind,
    baseTypeCategory: row.base_category,
    domain: row.domain === 't',
    nullable: row.nullable === 't',
    generated: row.generated === 't',
    identity: row.identity === 't',
    default: row.default_expression,
    enumLabels: row.enum_labels === null ? null : (JSON.parse(row.enum_labels) as string[]),
    deterministic: row.deterministic === 't',
  }
}

/**
 * A domain over a domain is followed down to its base type. Since PostgreSQL 18 `attnotnull` is also set by a NOT NULL
 * constraint that is not yet valid: such a column may hold NULL. Before 18 a column has no such row in pg_constraint.
 *
 * A cast of text by a function of its own is not the type's input: regclass takes no `-` and no number by it, a user's
 * cast may mean anything. From bpchar there is none as a rule, so that the input function is called.
 */
function columnsQuery(oids: readonly string[]): Query {
  return sql`
    with recursive attribute as materialized (
      select a.*
      from pg_attribute a
      where a.attrelid = any(${oids}::oid[])
        and a.attnum > 0
        and not a.attisdropped
    ),
    resolved (declared, base) as (
      select distinct atttypid, atttypid from attribute
      union all
      select r.declared, t.typbasetype
      from resolved r
      join pg_type t on t.oid = r.base
      where t.typtype = 'd'
    ),
    base_type as materialized (
      select r.declared, t.oid, t.typname, t.typtype, t.typcategory, n.nspname, label.labels,
        exists (
          select from pg_cast c
          where c.casttarget = t.oid and c.castsource = 'text'::regtype and c.castmethod = 'f')
        and not exists (
          select from pg_cast c
          where c.casttarget = t.oid and c.castsource = 'bpchar'::regtype) as own_text_cast
      from resolved r
      join pg_type t on t.oid = r.base and t.typtype <> 'd'
      join pg_namespace n on n.oid = t.typnamespace
      left join lateral (
        select json_agg(e.enumlabel::text order by e.enumsortorder)::text as labels
        from pg_enum e
        where e.enumtypid = t.oid
      ) label on true
    )
    select a.attrelid::text as table_oid,
      a.attname::text as name,
      a.attnum::text as attnum,
      a.atttypid::text as type_oid,
      format_type(a.atttypid, a.atttypmod) as type,
      b.typname::text as base_name,
      b.nspname::text as base_schema,
      b.typtype::text as base_kind,
      b.typcategory::text as base_category,
      a.atttypid <> b.oid as domain,
      b.own_text_cast,
      not a.attnotnull or exists (
        select from pg_constraint c
        where c.conrelid = a.attrelid
          and c.contype = 'n'
          and not c.convalidated
          and c.conkey[1] = a.attnum) as nullable,
      a.attgenerated <> '' as generated,
      a.attidentity <> '' as identity,
      case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default_expression,
      b.labels as enum_labels,
      coalesce(l.collisdeterministic, true) as deterministic
    from attribute a
    join base_type b on b.declared = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_collation l on l.oid = a.attcollation
    order by a.attrelid, a.attnum`
}
