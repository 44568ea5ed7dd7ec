import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { ended, moveAll } from '../nasty/move-all.js'
import { type CliDifference, cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { dumpsAvailable, loadDump } from '../support/dump.js'

/** A corruption that no application could make: past the triggers. */
interface Corruption {
  readonly table: string
  readonly key: string
  readonly column: string
  readonly sql: string
}

interface Sample {
  readonly name: string
  readonly dumps: readonly Parameters<typeof loadDump>[1][]
  readonly tables: number
  readonly refused: Readonly<Record<string, readonly string[]>>
  readonly corruptions: readonly [event: Corruption, row: Corruption]
  /** Table -> rows, and the share of them that needs no `Changed`. */
  readonly explained: Readonly<Record<string, readonly [rows: string, share: number]>>
}

const SAMPLES: readonly Sample[] = [
  {
    name: 'chinook',
    dumps: ['chinook'],
    tables: 11,
    refused: {},
    corruptions: [
      {
        table: 'Invoice',
        key: '98',
        column: 'Total',
        sql: ofEvent('Invoice', '98', `jsonb_set(data, '{Total}', '3.990')`),
      },
      {
        table: 'PlaylistTrack',
        key: '["1","3402"]',
        column: '',
        sql: `delete from "PlaylistTrack" where ("PlaylistId", "TrackId") = (1, 3402)`,
      },
    ],
    explained: { Invoice: ['412', 1] },
  },
  {
    name: 'world',
    dumps: ['world'],
    tables: 3,
    refused: {},
    corruptions: [
      {
        table: 'country',
        key: 'NLD',
        column: 'headofstate',
        sql: ofEvent('Country', 'NLD', `data - 'headofstate'`),
      },
      {
        table: 'countrylanguage',
        key: '["NLD","Dutch"]',
        column: 'percentage',
        sql: `update countrylanguage set percentage = 95.7 where (countrycode, language) = ('NLD', 'Dutch')`,
      },
    ],
    explained: { country: ['239', 1] },
  },
  {
    name: 'pagila',
    dumps: ['pagila-schema', 'pagila-data'],
    tables: 14,
    refused: Object.fromEntries(
      ['payment', ...[1, 2, 3, 4, 5, 6].map((month) => `payment_p2007_0${month}`)].map((table) => [
        table,
        ['EW_TABLE_INHERITS'],
      ]),
    ),
    corruptions: [
      {
        table: 'rental',
        key: '5',
        column: 'customer_id',
        sql: ofEvent('Rental', '5', `jsonb_set(data, '{customer_id}', '1')`),
      },
      {
        table: 'film',
        key: '7',
        column: 'special_features',
        sql: `update film set special_features = special_features || array[null] where film_id = 7`,
      },
    ],
    explained: { rental: ['16044', 1], customer: ['599', 1] },
  },
]

function ofEvent(type: string, id: string, data: string): string {
  return `update events set data = ${data} where aggregate_type = '${type}' and aggregate_id = '${id}' and version = 1`
}

describe.skipIf(!dumpsAvailable)(
  'real databases, by the command line (needs ../shared/data and psql)',
  () => {
    describe.each(SAMPLES)('$name', ({ name, dumps, tables, refused, corruptions, explained }) => {
      const db = testDatabase({ migrated: false })
      const cli = cliIn(() => db.url)

      beforeAll(async () => {
        // Its dump makes plpgsql, which every database has.
        if (name === 'pagila') await db.admin.query('drop extension plpgsql')
        for (const dump of dumps) await loadDump(db.url, dump)
      })

      it('is moved and proven, every table that can be', async () => {
        const moved = await moveAll(db.admin, cli, ['public'])
        expect(moved.tables).toHaveLength(tables)
        expect(moved.refused).toEqual(refused)
      })

      it('has nothing new for a second backfill', async () => {
        const again = ended(await cli.json('backfill'))
        expect(again.tables.map(({ streams, events }) => ({ streams, events }))).toEqual(
          Array.from({ length: tables }, () => ({ streams: '0', events: '0' })),
        )
      })

      it.each(Object.entries(explained))('has its %s explained', async (table, [rows, share]) => {
        const { tables } = ended(await cli.json('explain', table))
        expect(tables).toMatchObject([{ table, rows, share, patterns: [] }])
      })

      it('has a wrong event and a wrong row found by both engines, key and column named', async () => {
        for (const { sql } of corruptions) await corrupt(db.admin, sql)
        const expected = corruptions.map(({ table, key, column }) => ({
          table,
          key,
          kind: column === '' ? 'missing_row' : 'row_differs',
          columns: column === '' ? [] : [column],
        }))
        for (const engine of ['sql', 'replay']) {
          const { status, document } = await cli.json('verify', '--engine', engine)
          expect({ status, ok: document.ok }).toEqual({ status: 1, ok: false })
          expect(document.differences.map(named)).toEqual(expect.arrayContaining(expected))
          expect(document.differences).toHaveLength(expected.length)
          const dirty = document.tables.filter(({ clean }) => clean === false).map(({ table }) => table)
          expect(dirty.sort()).toEqual(expected.map(({ table }) => table).sort())
        }
      })
    })
  },
)

function named({ table, key, kind, columns }: CliDifference) {
  return { table, key, kind, columns: columns.map(({ column }) => column) }
}

/** Ours are ENABLE ALWAYS, so that they are disabled by name; the application's by `replica`. */
async function corrupt(admin: pg.Client, sql: string): Promise<void> {
  await admin.query(`
    begin;
    set local session_replication_role = replica;
    do $$ declare t regclass; begin
      for t in select relid from pg_partition_tree('public.events') loop
        execute format('alter table %s disable trigger all', t);
      end loop;
    end $$;
    ${sql};
    do $$ declare t regclass; begin
      for t in select relid from pg_partition_tree('public.events') loop
        execute format('alter table %s enable always trigger eventward_append_only', t);
        if t <> 'public.events'::regclass then
          execute format('alter table %s enable always trigger eventward_append_only_own', t);
        end if;
      end loop;
    end $$;
    commit`)
}
