import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { ident, type Query, qualified, sql } from '../sql/index.js'

/** Why a table can't be captured by this role, as it is now. */
export interface Obstacle {
  readonly code: `EW_CAPTURE_${string}`
  readonly what: string
  /** SQL to run, or what to do in words. */
  readonly next: string
}

/** What stands in the way of capturing a table, the rights of this role first. Reads the catalog only; takes no lock. */
export async function captureObstacles(
  session: Session,
  { oid, schema, name }: Pick<CatalogTable, 'oid' | 'schema' | 'name'>,
): Promise<readonly Obstacle[]> {
  const facts = await session.one<Facts>(factsQuery(oid))
  const { role, foreign_owner: owner, forced, later, rule, foreign_leaf: leaf } = facts
  const all: (Obstacle | null)[] = [
    owner === null
      ? null
      : {
          code: 'EW_CAPTURE_OWNER',
          what: `it belongs to ${owner}, and ${role} is no member of that role: only its owner can put triggers on that fire always`,
          next: `grant ${ident(owner)} to ${ident(role)}`,
        },
    forced === null
      ? null
      : {
          code: 'EW_CAPTURE_ROW_SECURITY',
          what: `row level security is forced on ${forced}: the triggers could not see every row`,
          next: `alter table ${qualified(schema, name)} no force row level security`,
        },
    later === null
      ? null
      : {
          code: 'EW_CAPTURE_ORDER',
          what: `trigger ${later} would fire after ours, and may change what is written`,
          next: 'Rename it, so that it sorts before "~eventward_before": alter trigger ... on ... rename to ...',
        },
    rule === null
      ? null
      : {
          code: 'EW_CAPTURE_RULE',
          what: `rule ${rule} rewrites what is written: no trigger would see it`,
          next: 'Replace the rule by a trigger, or drop it.',
        },
    leaf === null
      ? null
      : {
          code: 'EW_CAPTURE_FOREIGN',
          what: `its partition ${leaf} lies on another server, where it can be written past its triggers`,
          next: 'Detach that partition, or leave the table out.',
        },
  ]
  return all.filter((one) => one !== null)
}

type Facts = Readonly<
  Record<'role', string> &
    Record<'foreign_owner' | 'forced' | 'later' | 'rule' | 'foreign_leaf', string | null>
>

/**
 * Of the table and its partitions, which are owned each by itself. 1: row, 2: before; 8: delete, 16: update. Names are
 * compared as the server orders triggers: by their bytes.
 */
function factsQuery(oid: string): Query {
  return sql`
    with relations as (
      select c.*
      from pg_class c
      where c.oid = ${oid}::oid or c.oid in (select t.relid from pg_partition_tree(${oid}::oid::regclass) t)
    )
    select current_user as role,
      (
        select pg_get_userbyid(relowner)
        from relations
        where not pg_has_role(current_user, relowner, 'usage')
        order by oid <> ${oid}::oid
        limit 1
      ) as foreign_owner,
      (select oid::regclass::text from relations where relforcerowsecurity limit 1) as forced,
      (
        select format('%I on %s', t.tgname, t.tgrelid::regclass)
        from relations r
        join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
        where t.tgtype & 3 = 3
          and t.tgtype & 24 <> 0
          and t.tgenabled <> 'D'
          and t.tgname::text collate "C" > '~eventward_before'
        limit 1
      ) as later,
      (
        select format('%I on %s', w.rulename, r.oid::regclass)
        from relations r
        join pg_rewrite w on w.ev_class = r.oid and w.ev_type in ('2', '3', '4')
        limit 1
      ) as rule,
      (select oid::regclass::text from relations where relkind = 'f' limit 1) as foreign_leaf`
}
