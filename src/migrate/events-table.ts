import type { Knex } from 'knex'
import { UsageError } from '../errors/index.js'

/** Where events are kept. */
export interface EventsTable {
  readonly schema: string
  readonly table: string
}

export const DEFAULT_EVENTS: EventsTable = { schema: 'public', table: 'events' }

/** The comment by which we know our events table again. */
export const EVENTS_MARKER = 'eventward events v1'

/** The comment of a partition that was taken out of it by a restart. */
export const ARCHIVE_MARKER = 'Events archived by eventward'

/**
 * The events table that a migration is to make: `userParams: { eventward: { events: { schema, table } } }` of the knex
 * configuration, else public.events.
 *
 * @throws UsageError EW_EVENTS_NAME where that is neither.
 */
export function eventsTableOf(knex: Knex): EventsTable {
  const ours: unknown = (knex.userParams as Readonly<Record<string, unknown>> | undefined)?.['eventward']
  if (ours === undefined) return DEFAULT_EVENTS
  const events: unknown = isObject(ours) ? ours['events'] : undefined
  if (isObject(events) && typeof events['schema'] === 'string' && typeof events['table'] === 'string') {
    return { schema: events['schema'], table: events['table'] }
  }
  throw new UsageError(
    'EW_EVENTS_NAME',
    'userParams.eventward of the knex configuration names no events table',
    {
      next: 'Write userParams: { eventward: { events: { schema, table } } }, or leave it out for public.events.',
    },
  )
}

/** Hands the name of the events table to migrations. */
export function withEventsTable(events: EventsTable): Record<string, unknown> {
  return { eventward: { events } }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
