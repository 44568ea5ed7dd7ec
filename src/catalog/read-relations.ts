import type { Session } from '../db/index.js'
import { type Query, sql } from '../sql/index.js'
import type { CatalogTable } from './catalog-table.js'

/** A table without its columns and keys. */
export type Relation = Omit<CatalogTable, 'columns' | 'key' | 'keys'>

/** Reads the relations of some schemas; see `readTables` for which. */
export async function readRelations(
  session: Session,
  schemas: readonly string[],
  names?: readonly string[],
): Promise<readonly Relation[]> {
  const rows = await session.rows<RelationRow>(relationsQuery(schemas, names))
  return rows.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: kindOf(row),
    hasInheritanceChildren: row.kind !== 'p' && row.has_children === 't',
    rowEstimate: row.row_estimate,
    bytes: row.bytes,
    hasRules: row.has_rules === 't',
    persistence: PERSISTENCE[row.persistence] ?? 'permanent',
    unloggedLeaf: row.unlogged_leaf,
  }))
}

type RelationRow = Readonly<
  Record<
    'oid' | 'schema' | 'name' | 'kind' | 'is_partition' | 'is_child' | 'has_children' | 'bytes',
    string
  > &
    Record<'has_rules' | 'persistence', string> &
    Record<'row_estimate' | 'unlogged_leaf', string | null>
>

const PERSISTENCE: Readonly<Record<string, CatalogTable['persistence']>> = {
  p: 'permanent',
  u: 'unlogged',
  t: 'temporary',
}

function kindOf(row: RelationRow): CatalogTable['kind'] {
  if (row.kind === 'v' || row.kind === 'm') return 'view'
  if (row.is_partition === 't') return 'partition'
  if (row.kind === 'f') return 'foreign'
  if (row.kind === 'p') return 'partitioned'
  if (row.kind !== 'r') return 'other'
  return row.is_child === 't' ? 'inherits' : 'plain'
}

/**
 * A partitioned table has neither pages nor, until someone runs ANALYZE on the parent, an estimate of its own: both
 * are summed over its leaves. reltuples is -1 where a table was never analysed (PostgreSQL 14 and later).
 */
function relationsQuery(schemas: readonly string[], names: readonly string[] | undefined): Query {
  const named = names ?? null
  return sql`
    select c.oid::text as oid,
      n.nspname::text as schema,
      c.relname::text as name,
      c.relkind::text as kind,
      c.relpersistence::text as persistence,
      c.relispartition as is_partition,
      exists (select from pg_inherits i where i.inhrelid = c.oid) as is_child,
      exists (select from pg_inherits i where i.inhparent = c.oid) as has_children,
      exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN') as has_rules,
      size.row_estimate::text as row_estimate,
      size.bytes::text as bytes,
      size.unlogged_leaf
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select coalesce(sum(pg_table_size(leaf.oid)), 0) as bytes,
        case when bool_and(leaf.reltuples >= 0) then sum(leaf.reltuples::bigint) end as row_estimate,
        min(leaf.oid::regclass::text) filter (where c.relkind = 'p' and leaf.relpersistence = 'u') as unlogged_leaf
      from (
        select c.oid
        union all
        select t.relid::oid from pg_partition_tree(c.oid) t where c.relkind = 'p' and t.isleaf
      ) member
      join pg_class leaf on leaf.oid = member.oid and leaf.relkind in ('r', 'm', 'f')
    ) size
    where n.nspname = any(${schemas}::text[])
      and c.relkind in ('r', 'p', 'f', 'v', 'm')
      and (${named}::text[] is null and c.relkind in ('r', 'p', 'f')
        and not exists (
          select from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
        or c.relname = any(${named}::text[]))
    order by n.nspname collate "C", c.relname collate "C"`
}
