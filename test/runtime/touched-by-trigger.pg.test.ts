/** The most common of all triggers, BEFORE UPDATE ... updated_at = now(), beside commands. */
import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { defineAggregate, defineTable } from '../../src/definition/index.js'
import type { Integer } from '../../src/index.js'
import { defineCommand, eventsOf, repositoryOf } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { appKnex } from './app-knex.js'

const orders = defineTable<{ id: Integer; status: string; note: string | null; updated_at: string }>()({
  schema: 'public',
  name: 'orders',
  key: ['id'],
  columns: {
    id: { type: 'bigint', nullable: false },
    status: { type: 'text', nullable: false },
    note: { type: 'text', nullable: true },
    updated_at: { type: 'timestamp with time zone', nullable: false, hasDefault: true },
  },
})
const Order = defineAggregate({
  name: 'Order',
  table: orders,
  updatedAt: 'updated_at',
  events: {
    Placed: { creates: true, set: { status: 'placed' } },
    Noted: { data: ['note'] },
    Paid: { set: { status: 'paid' } },
  },
})
const { Placed } = eventsOf(Order)
const Pay = defineCommand({ name: 'Pay', aggregate: Order, build: () => ({ type: 'Paid' }) })
const NoteAndPay = defineCommand({
  name: 'NoteAndPay',
  aggregate: Order,
  several: true,
  build: () => [{ type: 'Noted', data: { note: 'in cash' } }, { type: 'Paid' }],
})

describe('a trigger that writes updated_at', () => {
  const db = testDatabase()
  const app = appKnex(db)
  beforeAll(async () => {
    await db.admin.query(`
      create table public.orders (id bigint primary key, status text not null, note text,
        updated_at timestamptz not null default now());
      create function public.touch() returns trigger language plpgsql as
        $$ begin new.updated_at = '2001-02-03 04:05:06.789+00'; return new; end $$;
      create trigger touch before insert or update on public.orders for each row execute function public.touch()`)
    await captureOn(db.database, Order)
    await backfill(db.database, Order)
  })

  it('changes what the event of a command carries, and makes no event of its own', async () => {
    await Placed.create(app(), { id: 1 })
    await Pay.call(app(), { id: 1 })
    await NoteAndPay.call(app(), { id: 1 })
    const { rows } = await db.admin.query(
      `select version, type, data ->> 'updated_at' as stamp from public.events order by version`,
    )
    const stamp = '2001-02-03 04:05:06.789+00'
    expect(rows).toEqual([
      { version: '1', type: 'Placed', stamp },
      { version: '2', type: 'Paid', stamp },
      { version: '3', type: 'Noted', stamp: null },
      { version: '4', type: 'Paid', stamp },
    ])
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Order, { engine })).table.clean).toBe(true)
    }
    const history = await repositoryOf(Order).history(app(), { id: 1 })
    expect(history.map(({ residue }) => residue)).toEqual([false, false, false, false])
  })

  it('is told of where it changes more than that', async () => {
    await db.admin.query(`create or replace function public.touch() returns trigger language plpgsql as
      $$ begin new.updated_at = now(); new.note = 'by a trigger'; return new; end $$`)
    await Pay.call(app(), { id: 1 })
    const { rows } = await db.admin.query(
      `select type, data ->> 'note' as note from public.events where version > 4 order by version`,
    )
    expect(rows).toEqual([
      { type: 'Paid', note: null },
      { type: 'Changed', note: 'by a trigger' },
    ])
    expect((await verify(db.database, Order)).table.clean).toBe(true)
  })
})
