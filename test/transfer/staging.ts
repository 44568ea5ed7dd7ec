import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { expect } from 'vitest'
import type { Database } from '../../src/db/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { qualified } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'

/** All rows of a table, every column by its output function, in the order of the key's text. */
export async function rowsOf(admin: pg.Client, { table }: AggregateDefinition): Promise<readonly unknown[]> {
  await admin.query(`set time zone 'UTC'; set extra_float_digits = 1; set intervalstyle = 'postgres'`)
  const { rows } = await admin.query(
    `select format('%s', t) as row from ${qualified(table.schema, table.name)} t order by 1`,
  )
  return rows.map(({ row }) => row)
}

/** Streams, versions, types, data and times, in order of position: all but what an import gives anew. */
export async function eventsOf(admin: pg.Client): Promise<readonly unknown[]> {
  await admin.query(`set time zone 'UTC'`)
  const { rows } = await admin.query(`
    select aggregate_type, aggregate_id, version, type, schema_version, data::text, occurred_at, recorded_at,
      (metadata - array['imported', 'source'])::text as metadata,
      coalesce(metadata -> 'imported' ->> 'source', metadata ->> 'source') as source
    from public.events
    order by position`)
  return rows
}

/** Both engines find nothing. */
export async function expectVerified(
  database: Database,
  definitions: readonly AggregateDefinition[],
  engines: readonly ('sql' | 'replay')[] = ['sql', 'replay'],
): Promise<void> {
  for (const definition of definitions) {
    for (const engine of engines) {
      const { table, differences } = await verify(database, definition, { engine })
      expect({ table: table.table, engine, clean: table.clean, differences }).toMatchObject({
        clean: true,
        differences: [],
      })
    }
  }
}

export async function eventLines(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1, -1)
}
