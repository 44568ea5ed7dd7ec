import type { Knex } from 'knex'
import { UsageError } from '../errors/index.js'
import type { EventsTable } from './events-table.js'

/**
 * Refuses to install over what is someone else's. Changes nothing.
 *
 * @throws UsageError EW_EVENTS_FOREIGN: a relation of the name of the events table exists; EW_EVENTS_SCHEMA: its schema
 * doesn't; EW_SCHEMA_FOREIGN: a schema `eventward` exists that holds something.
 */
export async function refuseForeign(knex: Knex, { schema, table }: EventsTable): Promise<void> {
  const { rows } = (await knex.raw(
    `select
       (select count(*) from pg_catalog.pg_namespace where nspname = ?::text)::text as schemas,
       (select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = ?::text and c.relname = ?::text)::text as relations,
       ((select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'eventward')
        + (select count(*) from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
           where n.nspname = 'eventward'))::text as ours`,
    [schema, schema, table],
  )) as { rows: readonly { schemas: string; relations: string; ours: string }[] }
  const found = rows[0]
  const details = { schema, table }
  if (found?.relations !== '0') {
    throw new UsageError(
      'EW_EVENTS_FOREIGN',
      `${schema}.${table} exists and is not eventward's: nothing was changed`,
      { next: 'Set events: { schema, table } in eventward.config.ts to a name that is free.', details },
    )
  }
  if (found.schemas === '0') {
    throw new UsageError('EW_EVENTS_SCHEMA', `there is no schema ${schema} for the events table ${table}`, {
      next: 'Create the schema, or set events: { schema, table } in eventward.config.ts to one that exists.',
      details,
    })
  }
  if (found.ours !== '0') {
    throw new UsageError(
      'EW_SCHEMA_FOREIGN',
      'a schema eventward exists that this toolkit did not make: nothing was changed',
      { next: 'Rename that schema: alter schema eventward rename to another_name.' },
    )
  }
}
