import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { ident, qualified, sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** What a command reads of ours: where events are, and what they mean. */
const KEPT = ['settings', 'definitions', 'aggregates', 'row_shapes', 'epochs'].map(
  (name) => `eventward.${name}`,
)

/**
 * Looks at the roles that write to the tables. Captured writes need no grant at all: the triggers run with the rights of
 * the role that turned capture on. Commands, which ask the phase and read back what was appended, need some.
 */
export async function checkApplication(
  session: Session,
  { events, tables }: { readonly events: EventsTable; readonly tables: readonly string[] },
): Promise<readonly Finding[]> {
  const rows = await session.rows<{ role: string; usage: string; reads: string }>(sql`
    select r.rolname as role,
      has_schema_privilege(r.oid, 'eventward', 'usage') as usage,
      has_schema_privilege(r.oid, n.oid, 'usage')
        and has_table_privilege(r.oid, e.oid, 'select')
        and (
          select bool_and(coalesce(has_table_privilege(r.oid, to_regclass(t.name), 'select'), true))
          from unnest(${KEPT}::text[]) as t (name)
        ) as reads
    from pg_roles r
    cross join pg_class e
    join pg_namespace n on n.oid = e.relnamespace
    where n.nspname = ${events.schema}::text
      and e.relname = ${events.table}::text
      and not r.rolsuper
      and r.rolname <> current_user
      and r.oid in (
        select a.grantee
        from pg_class c
        cross join aclexplode(c.relacl) a
        where c.oid = any (${tables}::oid[])
          and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
          and a.grantee <> c.relowner
      )
    order by 1`)
  const lacking = rows.filter(({ usage, reads }) => usage !== 't' || reads !== 't')
  if (lacking.length === 0) return [fine('application', 'roles that write need no grant for capture')]
  const to = lacking.map(({ role }) => ident(role)).join(', ')
  const names = lacking.map(({ role }) => role).join(', ')
  return [
    found(
      'info',
      'application',
      `${names}: captured writes need no grant; only commands do, which ask the phase and read back their events`,
      [
        `grant usage on schema eventward to ${to}`,
        `grant select on ${qualified(events.schema, events.table)}, ${KEPT.join(', ')} to ${to}`,
      ].join('; '),
    ),
  ]
}
