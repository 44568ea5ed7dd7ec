import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { ARCHIVE_MARKER, readInstalled } from '../migrate/index.js'
import { ident, qualified, sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at our own schema: is it there, may it be made, and is every events table still append-only? */
export async function checkSchema(session: Session, configured: EventsTable): Promise<readonly Finding[]> {
  const { events } = await readInstalled(session)
  if (events === null) {
    const foreign = await foreignOwners(session, null)
    return foreign.length > 0 ? foreign : [await mayMigrate(session, configured)]
  }
  const where = `${events.schema}.${events.table}`
  if (events.schema !== configured.schema || events.table !== configured.table) {
    return [
      found(
        'stop',
        'migrated',
        `events are kept in ${where}, the configuration names another table`,
        'Correct events: { schema, table } in eventward.config.ts.',
      ),
    ]
  }
  return [
    fine('migrated', `events are kept in ${where}`),
    ...(await mayWork(session, events)),
    ...(await appendOnly(session, events)),
  ]
}

async function mayMigrate(session: Session, { schema, table }: EventsTable): Promise<Finding> {
  const { taken } = await session.one(sql`
    select to_regclass(${qualified(schema, table)}::text) is not null as taken`)
  if (taken === 't')
    return found(
      'stop',
      'migrated',
      `${schema}.${table} exists and is not ours: events can not be kept under that name`,
      'Set events: { schema, table } in eventward.config.ts to a name that is free.',
    )
  const { database, may, role } = await session.one(sql`
    select
      current_database() as database,
      current_user as role,
      has_database_privilege(current_database(), 'create')
        and coalesce((
          select has_schema_privilege(oid, 'create')
          from pg_namespace
          where nspname = ${schema}::text
        ), true) as may`)
  if (may === 't')
    return found('info', 'migrated', 'our schema is not there yet', 'Run `eventward migrate up`.')
  return found(
    'stop',
    'migrated',
    `our schema is not there, and ${role} may not make it`,
    `grant create on database ${ident(String(database))} to ${ident(String(role))}; grant usage, create on schema ${ident(schema)} to ${ident(String(role))}`,
  )
}

/** Partitions are made, attached and given to the events table's owner; functions are made in our schema. */
async function mayWork(session: Session, events: EventsTable): Promise<readonly Finding[]> {
  const { role, create } = await session.one<Record<'role' | 'create', string>>(sql`
    select current_user as role, has_schema_privilege(${events.schema}::text, 'create') as create`)
  return [
    ...(await foreignOwners(session, events)),
    ...(create === 't'
      ? []
      : [
          found(
            'stop',
            'rights',
            `${role} may not make partitions of ${events.schema}.${events.table}`,
            `grant usage, create on schema ${ident(events.schema)} to ${ident(role)}`,
          ),
        ]),
  ]
}

async function foreignOwners(session: Session, events: EventsTable | null): Promise<readonly Finding[]> {
  const name = events === null ? null : qualified(events.schema, events.table)
  const owners = await session.rows<{ owner: string; role: string }>(sql`
    select distinct pg_get_userbyid(o.owner) as owner, current_user as role
    from (
      select nspowner as owner from pg_namespace where nspname = 'eventward'
      union all
      select relowner from pg_class where oid = to_regclass(${name}::text)
    ) o
    where not pg_has_role(current_user, o.owner, 'usage')`)
  return owners.map(({ owner, role }) =>
    found(
      'stop',
      'rights',
      `what eventward keeps belongs to ${owner}, and ${role} is no member of that role`,
      `grant ${ident(owner)} to ${ident(role)}`,
    ),
  )
}

/**
 * Law 5: triggers that are ENABLE ALWAYS on the events table, on every partition and on what was one: an archive, or a
 * partition that someone detached.
 */
async function appendOnly(session: Session, events: EventsTable): Promise<readonly Finding[]> {
  const parent = qualified(events.schema, events.table)
  const rows = await session.rows(sql`
    with parts as (
      select inhrelid as oid
      from pg_inherits
      where inhparent = ${parent}::regclass
    ), wanted as (
      select ${parent}::regclass::oid as oid, unnest('{eventward_append_only,eventward_no_truncate}'::text[]) as trigger
      union all
      select oid, unnest('{eventward_append_only,eventward_append_only_own,eventward_no_truncate}'::text[])
      from parts
      union all
      select oid, unnest('{eventward_append_only_own,eventward_no_truncate}'::text[])
      from pg_class
      where relkind = 'r'
        and oid <> all (select oid from parts)
        and (
          obj_description(oid, 'pg_class') = ${ARCHIVE_MARKER}::text
          or oid in (select tgrelid from pg_trigger where tgfoid = to_regprocedure('eventward.refuse_change()'))
        )
    )
    select w.oid::regclass::text as name, w.trigger, coalesce(g.tgenabled, '-') as enabled
    from wanted w
    left join pg_trigger g on g.tgrelid = w.oid and g.tgname = w.trigger
    where g.tgenabled is distinct from 'A'`)
  if (rows.length === 0)
    return [fine('append_only', 'stored events can not be changed, on any partition or archive')]
  return rows.map((row) =>
    found(
      'stop',
      'append_only',
      `${row['name']}: trigger ${row['trigger']} is ${row['enabled'] === '-' ? 'gone' : 'not ENABLE ALWAYS'}: stored events could be changed`,
      row['enabled'] === '-'
        ? 'Find out who dropped it; every stream needs a full `eventward verify` once it is back.'
        : `alter table ${row['name']} enable always trigger ${row['trigger']}`,
    ),
  )
}
