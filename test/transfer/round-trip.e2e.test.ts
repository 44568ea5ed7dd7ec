/** By the command line: what was moved is exported, and its rows are made anew, text by text, on an empty database. */
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { ident } from '../../src/sql/index.js'
import { BUILT_IN, TYPES_SQL, USER_MADE } from '../nasty/column-types.js'
import { KEYED, KEYS_SQL, keyedTables } from '../nasty/keyed-tables.js'
import { backfillAll, ended } from '../nasty/move-all.js'
import { SHAPES_SQL } from '../nasty/shapes.js'
import { typedTables } from '../nasty/typed-tables.js'
import { cliIn } from '../support/cli.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { dumpsAvailable, loadDump } from '../support/dump.js'

const serverVersion = Number(process.env['EVENTWARD_TEST_PG'] ?? '18')
const builtIn = BUILT_IN.filter(({ since = 0 }) => since <= serverVersion)

interface Case {
  /** Of the staging database, before the import and after it. */
  readonly before?: string
  readonly after?: string
  readonly schemas: readonly string[]
  readonly load: (db: TestDatabase) => Promise<unknown>
}

function roundTrip({ schemas, load, before = '', after = '' }: Case): void {
  const source = testDatabase({ migrated: false })
  const staging = testDatabase({ migrated: false })
  const cli = cliIn(() => source.url)

  beforeAll(async () => {
    await load(source)
    await load(staging)
    await emptied(staging.admin, schemas)
  })

  it('has its rows, text by text, and is proven by both engines', async () => {
    const tables = await backfillAll(cli, schemas)
    const exported = ended(await cli.json('export', 'all.jsonl', ...tables))
    const to = ['--url', staging.url] as const
    ended(await cli.json('migrate', 'up', ...to))
    await staging.admin.query(before)
    const imported = ended(await cli.json('import', 'all.jsonl', ...to))
    expect(imported).toMatchObject({ events: (exported as unknown as { events: string }).events })
    expect(imported.tables.map(({ table }) => table).sort()).toEqual([...tables].sort())
    for (const { schema, name } of await namesOf(staging.admin, tables)) {
      const rows = (await rowsOf(source.admin, schema, name)) as readonly unknown[]
      expect({ name, rows: await rowsOf(staging.admin, schema, name) }).toEqual({ name, rows })
    }
    await staging.admin.query(after)
    for (const engine of ['sql', 'replay'])
      expect(ended(await cli.json('verify', ...tables, '--engine', engine, ...to)).differences).toEqual([])
    ended(await cli.json('runs', ...to))
  })
}

describe('an imported database of every type', () => {
  roundTrip({
    schemas: ['types'],
    load: ({ admin }) => admin.query(`${TYPES_SQL}${typedTables('types', [...builtIn, ...USER_MADE])}`),
  })
})

describe('an imported database of every key', () => {
  roundTrip({ schemas: ['keys'], load: ({ admin }) => admin.query(`${KEYS_SQL}${keyedTables(KEYED)}`) })
})

describe('an imported database of every kind of table', () => {
  roundTrip({
    schemas: ['app', 'Shop "No. 1" é', 'select', 'public'],
    load: ({ admin }) => admin.query(SHAPES_SQL),
  })
})

describe.skipIf(!dumpsAvailable)('a real database, imported (needs ../shared/data and psql)', () => {
  describe.each([
    { name: 'chinook', dumps: ['chinook'], before: '', after: '' },
    {
      name: 'pagila',
      dumps: ['pagila-schema', 'pagila-data'],
      // A store has a manager, who works in a store, and neither may be NULL: no order of rows satisfies both.
      before: 'alter table public.store drop constraint store_manager_staff_id_fkey',
      after: `alter table public.store add constraint store_manager_staff_id_fkey
        foreign key (manager_staff_id) references public.staff (staff_id)`,
    },
  ] as const)('$name', ({ name, dumps, before, after }) => {
    roundTrip({
      schemas: ['public'],
      before,
      after,
      load: async ({ admin, url }) => {
        // Its dump makes plpgsql, which every database has.
        if (name === 'pagila') await admin.query('drop extension plpgsql')
        for (const dump of dumps) await loadDump(url, dump)
      },
    })
  })
})

/** The application's tables as its own migrations make them: without rows. Its triggers are its own business. */
async function emptied(admin: pg.Client, schemas: readonly string[]): Promise<void> {
  const { rows } = await admin.query<{ table: string; kind: string }>(
    `select format('%I.%I', n.nspname, c.relname) as table, c.relkind as kind
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any ($1) and c.relkind in ('r', 'p')`,
    [schemas],
  )
  await admin.query('set session_replication_role = replica')
  await admin.query(`truncate ${rows.map(({ table }) => table).join(', ')} restart identity cascade`)
  await admin.query('set session_replication_role = origin')
  for (const { table, kind } of rows)
    if (kind === 'r') await admin.query(`alter table ${table} disable trigger user`)
}

async function namesOf(admin: pg.Client, tables: readonly string[]) {
  const { rows } = await admin.query<Record<'schema' | 'name', string>>(
    `select n.nspname as schema, c.relname as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p')
       and case n.nspname when 'public' then c.relname else n.nspname || '.' || c.relname end = any ($1)`,
    [tables],
  )
  return rows
}

/** By each column's output function: a row's own text hides nothing, and computed columns are in it. */
async function rowsOf(admin: pg.Client, schema: string, name: string): Promise<readonly unknown[]> {
  const { rows } = await admin.query(
    `select format('%s', t) collate "C" as row from ${ident(schema)}.${ident(name)} t order by 1`,
  )
  return rows
}
