import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { ident, qualified, sql } from '../sql/index.js'
import { readCaptureOfTable } from '../store/index.js'

/** What to know about the role that turns capture on. */
export interface CheckedTable {
  readonly superuser: boolean
  readonly role: string
}

/**
 * Refuses a table that can't be captured by this role, before anyone has to wait for a lock. What may change until the
 * lock is held is looked at again under it.
 *
 * @throws UsageError EW_CAPTURE_OWNER, EW_CAPTURE_ROW_SECURITY, EW_CAPTURE_ORDER, EW_CAPTURE_RULE, EW_CAPTURE_FOREIGN,
 * EW_CAPTURE_OTHER
 */
export async function checkTable(
  session: Session,
  { oid, schema, name }: CatalogTable,
  aggregateType: string,
): Promise<CheckedTable> {
  const table = tableName({ schema, name })
  const facts = await session.one<Facts>(factsQuery(oid))
  const refuse = (code: `EW_${string}`, what: string, next: string) =>
    new UsageError(code, `${table}: ${what}; nothing was changed`, { next, details: { table } })
  if (facts.foreign_owner !== null) {
    throw refuse(
      'EW_CAPTURE_OWNER',
      `it belongs to ${facts.foreign_owner}, and ${facts.role} is no member of that role: only its owner can put triggers on that fire always`,
      `grant ${ident(facts.foreign_owner)} to ${ident(facts.role)}`,
    )
  }
  if (facts.foreign_functions !== null) {
    throw refuse(
      'EW_CAPTURE_OWNER',
      `its capture was turned on by ${facts.foreign_functions}, and ${facts.role} is no member of that role`,
      `grant ${ident(facts.foreign_functions)} to ${ident(facts.role)}`,
    )
  }
  if (facts.may_create !== 't') {
    throw refuse(
      'EW_CAPTURE_OWNER',
      `${facts.role} may not make functions in the schema eventward`,
      `grant create on schema eventward to ${ident(facts.role)}`,
    )
  }
  if (facts.forced !== null) {
    throw refuse(
      'EW_CAPTURE_ROW_SECURITY',
      `row level security is forced on ${facts.forced}: the triggers could not see every row`,
      `alter table ${qualified(schema, name)} no force row level security`,
    )
  }
  if (facts.later !== null) {
    throw refuse(
      'EW_CAPTURE_ORDER',
      `trigger ${facts.later} would fire after ours, and may change what is written`,
      'Rename it, so that it sorts before "~eventward_before": alter trigger ... on ... rename to ...',
    )
  }
  if (facts.rule !== null) {
    throw refuse(
      'EW_CAPTURE_RULE',
      `rule ${facts.rule} rewrites what is written: no trigger would see it`,
      'Replace the rule by a trigger, or drop it.',
    )
  }
  if (facts.foreign_leaf !== null) {
    throw refuse(
      'EW_CAPTURE_FOREIGN',
      `its partition ${facts.foreign_leaf} lies on another server, where it can be written past its triggers`,
      'Detach that partition, or leave the table out.',
    )
  }
  const other = await readCaptureOfTable(session, { schema, table: name })
  if (other !== null && other.state === 'on' && other.aggregateType !== aggregateType) {
    throw refuse(
      'EW_CAPTURE_OTHER',
      `it is captured as ${other.aggregateType}`,
      `Name the aggregate ${other.aggregateType} again, or turn its capture off under that name first.`,
    )
  }
  return { superuser: facts.superuser === 't', role: facts.role }
}

type Facts = Readonly<
  Record<'role' | 'superuser' | 'may_create', string> &
    Record<
      'foreign_owner' | 'foreign_functions' | 'forced' | 'later' | 'rule' | 'foreign_leaf',
      string | null
    >
>

/** 1: row, 2: before; 8: delete, 16: update. Names are compared as the server orders triggers: by their bytes. */
function factsQuery(oid: string) {
  return sql`
    with relations as (
      select c.*
      from eventward.captured_relations(${oid}::oid) r
      join pg_class c on c.oid = r.rel
    )
    select current_user as role,
      (select rolsuper from pg_roles where rolname = current_user) as superuser,
      has_schema_privilege('eventward', 'create') as may_create,
      (
        select pg_get_userbyid(relowner)
        from relations
        where not pg_has_role(current_user, relowner, 'usage')
        order by oid <> ${oid}::oid
        limit 1
      ) as foreign_owner,
      (
        select pg_get_userbyid(p.proowner)
        from eventward.captures c
        join pg_proc p on p.proname = 'capture_before_' || c.slug and p.pronamespace = 'eventward'::regnamespace
        where c.relid = ${oid}::oid
          and not pg_has_role(current_user, p.proowner, 'usage')
        limit 1
      ) as foreign_functions,
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
