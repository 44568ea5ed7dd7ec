import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { ident, sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at the tables to be moved: may this role read and later capture them, and does it see every row? */
export async function checkTablesAccess(
  session: Session,
  tables: readonly CatalogTable[],
): Promise<readonly Finding[]> {
  const rows = await session.rows<Facts>(sql`
    select
      c.oid::bigint as oid,
      has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
      pg_has_role(current_user, c.relowner, 'usage') as owner,
      pg_get_userbyid(c.relowner) as owner_name,
      (select rolsuper from pg_roles where oid = c.relowner) as owner_super,
      n.nspname::text as schema,
      format('%I.%I', n.nspname, c.relname) as qualified,
      current_user as role,
      c.relrowsecurity
        and not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
        and (c.relforcerowsecurity or not pg_has_role(current_user, c.relowner, 'usage')) as filtered,
      pg_total_relation_size(c.oid) as bytes
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = any (${tables.map(({ oid }) => oid)}::oid[])`)
  const byOid = new Map(rows.map((row) => [row.oid, row]))
  return tables.flatMap((table) => {
    const facts = byOid.get(table.oid)
    return facts === undefined ? [] : findings(tableName(table), facts)
  })
}

type Facts = Record<
  | 'oid'
  | 'schema'
  | 'qualified'
  | 'readable'
  | 'owner'
  | 'owner_name'
  | 'owner_super'
  | 'role'
  | 'filtered'
  | 'bytes',
  string
>

function findings(table: string, facts: Facts): readonly Finding[] {
  return [
    facts.readable === 't'
      ? fine('select', `${facts.role} may read it; ${facts.bytes} bytes with its indexes`, table)
      : found(
          'stop',
          'select',
          `${facts.role} may not read it`,
          `grant usage on schema ${ident(facts.schema)} to ${ident(facts.role)}; grant select on ${facts.qualified} to ${ident(facts.role)}`,
          table,
        ),
    facts.owner === 't'
      ? fine('owner', `${facts.role} may act for its owner`, table)
      : found(
          'warn',
          'owner',
          `it belongs to ${facts.owner_name}: ${facts.role} can backfill and verify, but not capture its writes`,
          facts.owner_super === 't'
            ? `${facts.owner_name} is a superuser: give the table to a role that is none (alter table ${facts.qualified} owner to ...), and grant that role to ${facts.role}`
            : `grant ${ident(facts.owner_name)} to ${ident(facts.role)}`,
          table,
        ),
    // Hazard C3: our sessions set row_security off, so a filtered role gets an error instead of some of the rows.
    ...(facts.filtered === 't'
      ? [
          found(
            'stop',
            'row_security',
            `row level security hides rows from ${facts.role}`,
            `alter role ${ident(facts.role)} bypassrls, or connect as its owner`,
            table,
          ),
        ]
      : []),
  ]
}
