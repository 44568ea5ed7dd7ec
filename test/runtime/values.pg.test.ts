/** What a command stores of values: of every type, under settings that would change their texts. */
import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { defineAggregate, defineTable, occurredAt } from '../../src/definition/index.js'
import { defineCommand, withEvents } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { appKnex } from './app-knex.js'
import { schema } from './schema.js'

interface OrdersRow {
  id: number | bigint | `${bigint}`
  code: string
  price: number | bigint | `${number}`
  weight: number | bigint | `${number}` | null
  paid: boolean
  due: string | null
  took: string | null
  cost: string | null
  doc: string | null
  tags: string | null
  blob: string | null
  placed_at: string
  paid_on: string | null
  paid_local: string | null
  touched_at: string
}

const nullable = <const Type extends string>(type: Type) => ({ type, nullable: true }) as const
const needed = <const Type extends string>(type: Type) => ({ type, nullable: false }) as const
const orders = defineTable<OrdersRow>()({
  schema: 'shop',
  name: 'Orders "x"',
  key: ['id'],
  columns: {
    id: needed('bigint'),
    code: needed('character(4)'),
    price: needed('numeric(10,2)'),
    weight: nullable('real'),
    paid: needed('boolean'),
    due: nullable('timestamp with time zone'),
    took: nullable('interval'),
    cost: nullable('money'),
    doc: nullable('jsonb'),
    tags: nullable('text[]'),
    blob: nullable('bytea'),
    placed_at: needed('timestamp(0) with time zone'),
    paid_on: nullable('date'),
    paid_local: nullable('timestamp(3) without time zone'),
    touched_at: needed('timestamp(0) without time zone'),
  },
})

const Order = defineAggregate({
  name: 'Order',
  table: orders,
  timeZone: 'Asia/Kolkata',
  updatedAt: 'touched_at',
  events: {
    Placed: { creates: true, data: { code: 'code', net: 'price' }, set: { placed_at: occurredAt } },
    Described: {
      data: ['weight', 'due', 'took', 'cost', 'doc', 'tags', 'blob'],
      facts: { because: schema<{ said: string }>() },
    },
    Paid: { set: { paid: true, paid_on: occurredAt, paid_local: occurredAt } },
  },
})

const Place = defineCommand({
  name: 'Place',
  aggregate: Order,
  creates: true,
  attributes: schema<{ code: string; net: number | `${number}` }>(),
  build: (_, { code, net }) => ({ type: 'Placed', data: { code, net } }),
})
const Describe = defineCommand({
  name: 'Describe',
  aggregate: Order,
  attributes: schema<Pick<OrdersRow, 'weight' | 'due' | 'took' | 'cost' | 'doc' | 'tags' | 'blob'>>(),
  build: (_, data) => ({ type: 'Described', data, facts: { because: { said: 'so "it" is \\ ☃' } } }),
})
const Pay = defineCommand({
  name: 'Pay',
  aggregate: Order,
  noop: (order) => order.paid,
  build: () => ({ type: 'Paid' }),
})

const DATA = {
  weight: 0.1,
  due: '2020-07-01 12:00:00.123456+02',
  took: '-1 days +02:03:04',
  cost: '$1,234.50',
  doc: '{"b": 1.10, "a": [null, "x"]}',
  tags: '{a,"b c",NULL}',
  blob: '\\x00ff',
} as const

describe.each(['trigger', 'shim'] as const)('values, kept by a %s', (way) => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(`
      create schema shop;
      create table shop."Orders ""x""" (
        id bigint generated always as identity primary key,
        code char(4) not null,
        price numeric(10,2) not null,
        weight real,
        paid boolean not null default false,
        due timestamptz default '2021-01-01 00:00:00+00',
        took interval,
        cost money,
        doc jsonb,
        tags text[],
        blob bytea,
        placed_at timestamptz(0) not null,
        paid_on date,
        paid_local timestamp(3),
        touched_at timestamp(0) not null,
        twice numeric generated always as (price * 2) stored
      )`)
    if (way === 'trigger') await installCapture(db.database, Order)
    else await backfill(db.database, Order)
  })

  const clean = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Order, { engine })).differences).toEqual([])
    }
  }
  const stored = async () => {
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', version, type, (data - 'touched_at')::text) as event from public.events
       where aggregate_id = '1' order by version`,
    )
    return rows.map(({ event }) => event)
  }
  const DESCRIBED =
    '"doc": {"a": [null, "x"], "b": 1.10}, "due": "2020-07-01 10:00:00.123456+00", "blob": "\\\\x00ff", "cost": "$1,234.50", "tags": "{a,\\"b c\\",NULL}", "took": "-1 days +02:03:04", "weight": "0.1"'

  if (way === 'trigger') {
    it('a command takes its key from the table, cuts times to their columns, and fills what the table would', async () => {
      const placed = await Place.call(app(), { code: 'ab', net: '1.5' })
      expect(placed).toMatchObject({ id: '1', version: 1, data: { code: 'ab  ', net: '1.50' } })
      expect(placed?.occurredAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/)
      const described = await Describe.call(app(), { id: '1', ...DATA })
      expect(described?.data).toEqual({
        weight: '0.1',
        due: '2020-07-01 10:00:00.123456+00',
        took: '-1 days +02:03:04',
        cost: '$1,234.50',
        doc: '{"a": [null, "x"], "b": 1.10}',
        tags: '{a,"b c",NULL}',
        blob: '\\x00ff',
        because: { said: 'so "it" is \\ ☃' },
      })
      expect(await Pay.call(app(), { id: 1 })).toMatchObject({ type: 'Paid', data: {} })
      expect(await Pay.call(app(), { id: 1 })).toBeNull()
      expect(await stored()).toEqual([
        '1 Placed {"net": 1.50, "code": "ab  "}',
        // What the table gives by default and another event is about.
        '2 Changed {"due": "2021-01-01 00:00:00+00", "paid": false}',
        `3 Described {${DESCRIBED}, "because": {"said": "so \\"it\\" is \\\\ ☃"}}`,
        expect.stringMatching(/^4 Paid {"paid_local": "\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?"}$/),
      ])
      await clean()
    })

    it('refuses a value that its column would change without a word', async () => {
      await expect(Place.call(app(), { code: 'abcde', net: 1 })).rejects.toMatchObject({
        code: 'EW_COMMAND_INVALID',
        details: { issues: [{ path: ['code'] }] },
      })
      await expect(Place.call(app(), { code: 'a', net: '1.999' })).rejects.toMatchObject({
        code: 'EW_COMMAND_INVALID',
      })
      await expect(Place.call(app(), { code: 'a', net: 'x' as never })).rejects.toMatchObject({
        code: 'EW_COMMAND_INVALID',
      })
    })
  } else {
    it('the shim stores the same of what knex writes', async () => {
      const knex = withEvents(app(), { aggregates: [{ aggregate: Order, capture: 'shim' }] })
      const table = knex('Orders "x"').withSchema('shop')
      const now = '2022-03-27T01:30:00.7Z'
      await table.clone().insert({ code: 'ab', price: '1.5', placed_at: now, touched_at: now })
      await table
        .clone()
        .where({ id: 1 })
        .update({ ...DATA, touched_at: '2022-03-28' })
      await table.clone().where('id', 1).update({
        paid: true,
        paid_on: '2022-03-29',
        paid_local: '2022-03-29 10:00',
        touched_at: '2022-03-29',
      })
      expect(await stored()).toEqual([
        '1 Placed {"net": 1.50, "code": "ab  "}',
        '2 Changed {"due": "2021-01-01 00:00:00+00", "paid": false}',
        `3 Described {${DESCRIBED}}`,
        '4 Paid {"paid_local": "2022-03-29 10:00:00"}',
      ])
      await clean()
    })
  }
})
