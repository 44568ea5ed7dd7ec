import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { ident, sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at the role that runs this: what it may see, and whether it may do more than it should. */
export async function checkRole(
  session: Session,
  { events, tables }: { readonly events: EventsTable; readonly tables: readonly string[] },
): Promise<readonly Finding[]> {
  const { role, superuser, stats, database } = await session.one<
    Record<'role' | 'superuser' | 'stats' | 'database', string>
  >(sql`
    select current_user as role,
      (select rolsuper from pg_roles where rolname = current_user) as superuser,
      pg_has_role(current_user, 'pg_read_all_stats', 'usage') as stats,
      current_database() as database`)
  if (superuser === 't') {
    return [
      found(
        'warn',
        'role',
        `${role} is a superuser, and the functions of capture run with the rights of the role that turns it on`,
        await grantsFor('eventward', { session, database, events, tables }),
      ),
    ]
  }
  return [
    fine('role', `${role} is no superuser`),
    stats === 't'
      ? fine('activity', `${role} sees what other roles are at`)
      : found(
          'warn',
          'activity',
          `${role} does not see what other roles are at: who is in the way of a lock has no name, and how old a transaction is stays hidden`,
          `grant pg_read_all_stats to ${ident(role)}`,
        ),
  ]
}

/** All that a role of its own needs, as SQL. Owners that are superusers are left out: their rights would come along. */
async function grantsFor(
  role: string,
  {
    session,
    database,
    events,
    tables,
  }: {
    readonly session: Session
    readonly database: string
    readonly events: EventsTable
    readonly tables: readonly string[]
  },
): Promise<string> {
  const owners = await session.rows<{ owner: string }>(sql`
    select distinct pg_get_userbyid(c.relowner) as owner
    from pg_class c
    join pg_roles r on r.oid = c.relowner and not r.rolsuper
    where c.oid = any (${tables}::oid[])
    order by 1`)
  const to = ident(role)
  return [
    `create role ${to} login`,
    `grant create on database ${ident(database)} to ${to}`,
    `grant usage, create on schema ${ident(events.schema)} to ${to}`,
    `grant pg_read_all_stats to ${to}`,
    ...owners.map(({ owner }) => `grant ${ident(owner)} to ${to}`),
  ].join('; ')
}
