/** A captured table that its application goes on changing. */
import { expect } from 'vitest'
import { type AdoptOptions, adopt } from '../../src/adopt/index.js'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import {
  type AggregateDefinition,
  defineAggregate,
  defineTable,
  occurredAt,
} from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import type { TestDatabase } from '../support/database.js'

/** The events of an item, as its application's columns are at the moment. */
export interface ItemDefinition {
  readonly created?: Readonly<Record<string, string>> | readonly string[]
  readonly moved?: Readonly<Record<string, string>> | readonly string[]
  readonly status?: string
  readonly key?: string
  readonly schemaVersion?: number
}

/** The definition of `items` with the columns that it has now: what `eventward generate` would write. */
export async function defineItems(
  db: TestDatabase,
  {
    created = ['name', 'qty'],
    moved = ['place'],
    status = 'status',
    key = 'id',
    schemaVersion = 1,
  }: ItemDefinition = {},
): Promise<AggregateDefinition> {
  const { rows } = await db.admin.query<Record<'attname' | 'type' | 'nullable', string>>(
    `select attname, pg_catalog.format_type(atttypid, atttypmod) as type, (not attnotnull)::text as nullable
     from pg_attribute where attrelid = 'items'::regclass and attnum > 0 and not attisdropped order by attnum`,
  )
  const columns = Object.fromEntries(
    rows.map(({ attname, type, nullable }) => [attname, { type, nullable: nullable === 'true' }]),
  )
  // The columns are known at run time only, so the types that a generated file would give are not.
  const table = defineTable<Record<string, never>>()({
    schema: 'public',
    name: 'items',
    key: [key],
    columns,
  } as never)
  return defineAggregate({
    name: 'Item',
    table,
    events: {
      Created: { creates: true, schemaVersion, data: created, set: { made: occurredAt } },
      Moved: { data: moved },
      Closed: { set: { [status]: 'closed', closed_at: occurredAt } },
    },
  } as never) as unknown as AggregateDefinition
}

/** A row of every kind, two of them older than capture; then capture on, a backfill and some writes. */
export async function movedItems(db: TestDatabase): Promise<void> {
  await db.admin.query(`
    create table items (
      id integer primary key, name text not null, qty integer, place varchar(20), status text not null default 'open',
      made timestamptz not null default now(), closed_at timestamptz, note text);
    insert into items (id, name, qty, place) values (1, 'a', 1, 'x'), (2, 'b', null, null);
    insert into items (id, name, qty, note) values (3, 'c', 3, 'said')`)
  const definition = await defineItems(db)
  await captureOn(db.database, definition)
  await backfill(db.database, definition)
  await db.admin.query(`
    insert into items (id, name, qty, place, note) values (10, 'j', 10, 'here', 'n'), (11, 'k', 11, null, null),
      (12, 'l', 12, 'there', 'gone');
    update items set place = 'there' where id in (1, 10);
    update items set qty = 7, note = 'changed' where id = 11;
    update items set status = 'closed', closed_at = '2024-01-01Z' where id = 2;
    delete from items where id = 12`)
  expect((await verify(db.database, definition)).table).toMatchObject({ clean: true, proof: true })
}

/** Verified by both engines, without a difference. */
export async function expectProven(db: TestDatabase, definition: AggregateDefinition): Promise<void> {
  for (const engine of ['sql', 'replay'] as const) {
    const { table, differences } = await verify(db.database, definition, { engine })
    expect({ engine, differences, clean: table.clean }).toEqual({ engine, differences: [], clean: true })
  }
}

/** Adopts, and what was adopted, in words. */
export async function adopted(
  db: TestDatabase,
  definition: AggregateDefinition,
  options: AdoptOptions = {},
): Promise<readonly string[]> {
  const { columns } = await adopt(db.database, definition, options)
  return columns.map(({ kind, column, before, after }) => `${kind} ${column}: ${before} -> ${after}`)
}
