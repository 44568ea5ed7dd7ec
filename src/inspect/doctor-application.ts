import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { sql } from '../sql/index.js'
import {
  commandRights,
  dispatcherRights,
  grantsText,
  lackingRights,
  projectionRights,
  type Right,
  readable,
  shimRights,
} from './application-rights.js'
import { type Finding, fine, found } from './finding.js'

export interface Application {
  readonly events: EventsTable
  /** Oids of the tables that are moved. */
  readonly tables: readonly string[]
  readonly aggregates: readonly AggregateDefinition[]
  /** Whether commands enqueue jobs of reactors. */
  readonly dispatcher: boolean
  /** Names of the projections that commands write. */
  readonly inline: readonly string[]
}

/**
 * Looks at the roles that write to the tables. Captured writes need no grant at all: the triggers run with the rights of
 * the role that turned capture on. What the application calls of ours, needs some: each use of it is a finding of its own,
 * with the grants that it takes.
 */
export async function checkApplication(
  session: Session,
  application: Application,
): Promise<readonly Finding[]> {
  const roles = await writingRoles(session, application.tables)
  const all: Finding[] = []
  for (const { check, use, rights } of await usesOf(session, application)) {
    const lacking = await lackingRights(session, roles, rights)
    if (lacking.length === 0) continue
    const names = [...new Set(lacking.map(({ role }) => role))]
    const grants = grantsText(
      lacking.map(({ right }) => right),
      names,
    )
    all.push(found('info', check, `${names.join(', ')}: ${use}`, grants))
  }
  return all.length > 0 ? all : [fine('application', 'roles that write need no grant for capture')]
}

interface Use {
  readonly check: string
  readonly use: string
  readonly rights: readonly Right[]
}

async function usesOf(session: Session, application: Application): Promise<readonly Use[]> {
  const { events, dispatcher, inline } = application
  const commands = await commandRights(session, events)
  return [
    {
      check: 'application',
      use: 'captured writes need no grant; only commands do, which ask the phase and read back their events',
      rights: commands,
    },
    ...(dispatcher
      ? [
          {
            check: 'application_reactors',
            use: 'commands whose events have asynchronous reactors enqueue jobs',
            rights: await dispatcherRights(session),
          },
        ]
      : []),
    ...(inline.length > 0
      ? [
          {
            check: 'application_projections',
            use: 'commands write inline projections',
            rights: await projectionRights(session, inline),
          },
        ]
      : []),
    ...((await keptByShim(session, application))
      ? [
          {
            check: 'application_shim',
            use: 'where no trigger does, a knex with events (withEvents) writes them itself',
            rights: [...commands, ...(await shimRights(session, events))],
          },
        ]
      : []),
  ]
}

/** Who may write to one of the tables, by a grant or as its owner who can log in; no superuser, and not we. */
async function writingRoles(session: Session, tables: readonly string[]): Promise<readonly string[]> {
  const rows = await session.rows<{ role: string }>(sql`
    select r.rolname as role
    from pg_roles r
    where not r.rolsuper
      and r.rolname <> current_user
      and r.oid in (
        select a.grantee
        from pg_class c
        cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        where c.oid = any (${tables}::oid[])
          and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
          and (r.rolcanlogin or a.grantee <> c.relowner)
      )
    order by 1`)
  return rows.map(({ role }) => role)
}

/** Whether a definition is registered whose table no trigger captures. */
async function keptByShim(session: Session, { aggregates }: Application): Promise<boolean> {
  if (!(await readable(session, 'eventward.captures'))) return false
  const { some } = await session.one<{ some: string }>(sql`
    select exists (
      select from eventward.aggregates a
      where a.aggregate_type = any (${aggregates.map(({ name }) => name)}::text[])
        and not exists (
          select from eventward.captures c
          where c.aggregate_type = a.aggregate_type
            and c.state = 'on'
        )
    ) as some`)
  return some === 't'
}
