import type { Session } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { EVENTS_MARKER, type EventsTable } from '../migrate/index.js'
import { sql } from '../sql/index.js'

/**
 * Where this database keeps its events. Takes no lock.
 *
 * @throws UsageError EW_NOT_MIGRATED where eventward is not installed, EW_EVENTS_MISSING where its table is gone,
 * EW_EVENTS_FOREIGN where a table of that name is someone else's.
 */
export async function requireEventsTable(session: Session, configured?: EventsTable): Promise<EventsTable> {
  const events = await readEventsTable(session)
  if (events === null) {
    throw new UsageError('EW_NOT_MIGRATED', 'this database has no eventward schema', {
      next: 'Run `eventward migrate up`.',
    })
  }
  if (
    configured !== undefined &&
    (events.schema !== configured.schema || events.table !== configured.table)
  ) {
    throw new UsageError(
      'EW_EVENTS_MOVED',
      `events are kept in ${name(events)}, the configuration says ${name(configured)}`,
      {
        next: 'Correct events: { schema, table } in eventward.config.ts.',
        details: { installed: events, configured },
      },
    )
  }
  await refuseForeign(session, events)
  await refuseOlder(session)
  return events
}

/** As `requireEventsTable`, but null where eventward is not installed, and without a look at the table itself. */
export async function readEventsTable(session: Session): Promise<EventsTable | null> {
  const { there } = await session.one<{ there: string }>(sql`
    select exists (
      select
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'eventward'
        and c.relname = 'settings'
    ) as there`)
  if (there !== 't') return null
  const rows = await session.rows<{ key: string; value: string }>(sql`
    select key, value
    from eventward.settings
    where key in ('events_schema', 'events_table')`)
  const settings = new Map(rows.map(({ key, value }) => [key, value]))
  const schema = settings.get('events_schema')
  const table = settings.get('events_table')
  return schema === undefined || table === undefined ? null : { schema, table }
}

/** By what the commands of this version cannot do without. */
async function refuseOlder(session: Session): Promise<void> {
  const { there } = await session.one<{ there: string }>(sql`
    select to_regclass('eventward.row_shapes') is not null as there`)
  if (there === 't') return
  throw new UsageError('EW_NOT_MIGRATED', 'the eventward schema of this database is of an older version', {
    next: 'Run `eventward migrate up`.',
  })
}

async function refuseForeign(session: Session, events: EventsTable): Promise<void> {
  const [found] = await session.rows<{ comment: string | null }>(sql`
    select obj_description(c.oid, 'pg_class') as comment
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${events.schema}::text
      and c.relname = ${events.table}::text`)
  if (found?.comment === EVENTS_MARKER) return
  if (found === undefined) {
    throw new UsageError('EW_EVENTS_MISSING', `the events table ${name(events)} is gone`, {
      next: 'Restore it, or correct events_schema and events_table in eventward.settings where it was renamed.',
      details: { ...events },
    })
  }
  throw new UsageError('EW_EVENTS_FOREIGN', `${name(events)} is not eventward's events table`, {
    next: `Correct events_schema and events_table in eventward.settings; eventward's own table bears the comment ${JSON.stringify(EVENTS_MARKER)}.`,
    details: { ...events },
  })
}

function name({ schema, table }: EventsTable): string {
  return `${schema}.${table}`
}
