import { beforeAll, describe, expect, it } from 'vitest'
import { defineAggregate, defineTable, type Integer, occurredAt } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

interface PaymentsRow {
  id: Integer
  day: string
  amount: string | null
  refunded_at: string | null
}

const Payment = defineAggregate({
  name: 'Payment',
  table: defineTable<PaymentsRow>()({
    schema: 'public',
    name: 'payments',
    key: ['id', 'day'],
    columns: {
      id: { type: 'bigint', nullable: false },
      day: { type: 'date', nullable: false },
      amount: { type: 'numeric(10,2)', nullable: true },
      refunded_at: { type: 'timestamp without time zone', nullable: true },
    },
  }),
  events: {
    Paid: { creates: true, data: ['amount'] },
    Refunded: { set: { refunded_at: occurredAt } },
  },
  timeZone: 'Europe/Berlin',
})

describe('a captured partitioned table', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(`
      create table payments (id bigint, day date, amount numeric(10,2), refunded_at timestamp, primary key (id, day))
        partition by range (day);
      create table payments_1 partition of payments for values from ('2020-01-01') to ('2020-02-01');
      -- A leaf whose columns have other numbers than the parent's.
      create table payments_2 (gone text, amount numeric(10,2), day date not null, refunded_at timestamp, id bigint not null);
      alter table payments_2 drop column gone;
      alter table payments attach partition payments_2 for values from ('2020-02-01') to ('2020-03-01');
    `)
    await installCapture(db.database, Payment)
  })

  const streams = async () => {
    const { rows } = await db.admin.query<Record<'id' | 'types', string>>(
      `select aggregate_id as id, string_agg(type, ' ' order by version) as types from events group by 1 order by 1`,
    )
    return Object.fromEntries(rows.map(({ id, types }) => [id, types]))
  }

  const expectProven = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      const { table, differences } = await verify(db.database, Payment, { engine })
      expect({ differences, clean: table.clean }).toEqual({ differences: [], clean: true })
    }
    expect((await db.admin.query(`select * from events where metadata ? 'cold'`)).rows).toEqual([])
    expect((await db.admin.query('select * from eventward.incomplete')).rows).toEqual([])
    expect((await db.admin.query(`select * from eventward.capture_problems('Payment')`)).rows).toEqual([])
  }

  it('records writes to the parent and straight to a leaf', async () => {
    await db.admin.query(
      `insert into payments values (1, '2020-01-05', 1.50, null), (2, '2020-02-05', null, null)`,
    )
    await db.admin.query(`insert into payments_2 (id, day, amount) values (3, '2020-02-06', 7)`)
    await db.admin.query(`update payments set amount = 1.5`)
    // An hour that Berlin skips: the instant gives back another local time, which the residue corrects.
    await db.admin.query(`update payments_2 set refunded_at = '2020-03-29 02:30' where id = 3`)
    expect(await streams()).toEqual({
      '["1","2020-01-05"]': 'Paid',
      '["2","2020-02-05"]': 'Paid Changed',
      '["3","2020-02-06"]': 'Paid Changed Refunded Changed',
    })
    await expectProven()
  })

  it('records a move across partitions as the end of one stream and the beginning of another', async () => {
    await db.admin.query(`update payments set day = '2020-02-01' where id = 1`)
    expect(await streams()).toMatchObject({
      '["1","2020-01-05"]': 'Paid Deleted',
      '["1","2020-02-01"]': 'Paid',
    })
    await db.admin.query(`update payments set day = '2020-02-07', amount = 9 where id = 2`)
    await expectProven()
  })

  it('links both streams of a move across partitions, and takes a key that stays for what it is', async () => {
    const { rows } = await db.admin.query(
      `select aggregate_id as id, metadata ->> 'movedTo' as to, metadata ->> 'movedFrom' as "from" from events
       where metadata ?| array['movedTo', 'movedFrom'] order by position`,
    )
    expect(rows).toEqual([
      { id: '["1","2020-01-05"]', to: '["1","2020-02-01"]', from: null },
      { id: '["1","2020-02-01"]', to: null, from: '["1","2020-01-05"]' },
      { id: '["2","2020-02-05"]', to: '["2","2020-02-07"]', from: null },
      { id: '["2","2020-02-07"]', to: null, from: '["2","2020-02-05"]' },
    ])
  })

  it('records nothing of a move that a legacy BEFORE DELETE trigger prevents', async () => {
    await db.admin.query(`
      create function keep_all() returns trigger language plpgsql as 'begin return null; end';
      create trigger keep_all before delete on payments for each row execute function keep_all()`)
    await db.admin.query(`insert into payments values (30, '2020-01-05', 1.50, null)`)
    await db.admin.query(`update payments set day = '2020-02-05' where id = 30`)
    await db.admin.query(`update payments set day = '2020-01-06' where id = 30`)
    await db.admin.query(`insert into payments values (31, '2020-02-05', 1.50, null)`)
    expect(await streams()).toMatchObject({
      '["30","2020-01-05"]': 'Paid Deleted',
      '["30","2020-01-06"]': 'Paid',
      '["31","2020-02-05"]': 'Paid',
    })
    await expectProven()
    await db.admin.query('drop trigger keep_all on payments')
  })

  it('records TRUNCATE of one leaf, past the parent', async () => {
    await db.admin.query(`insert into payments values (9, '2020-01-05', 1.50, null)`)
    await db.admin.query(`truncate payments_1`)
    expect(await streams()).toMatchObject({ '["9","2020-01-05"]': 'Paid Deleted' })
    await db.admin.query(`truncate payments`)
    await expectProven()
  })

  it('is captured on a partition that comes later, but for TRUNCATE, and says so', async () => {
    await db.admin.query(
      `create table payments_3 partition of payments for values from ('2020-03-01') to ('2020-04-01')`,
    )
    await db.admin.query(`insert into payments values (11, '2020-03-05', 1.50, null)`)
    await db.admin.query(`delete from payments_3`)
    expect(await streams()).toMatchObject({ '["11","2020-03-05"]': 'Paid Deleted' })
    const { rows } = await db.admin.query<{ problem: string; detail: string }>(
      `select problem, detail from eventward.capture_problems('Payment')`,
    )
    expect(rows).toEqual([{ problem: 'trigger_missing', detail: '~eventward_truncate on public.payments_3' }])
    await db.admin.query(`begin; lock table payments in share row exclusive mode;
      select eventward.install_triggers('Payment', 'dual_write'); commit`)
    await expectProven()
  })

  it('takes TRUNCATE of a partition that was detached for what it is: of another table', async () => {
    await db.admin.query(`insert into payments values (40, '2020-02-05', 1.50, null)`)
    await db.admin.query(`begin; alter table payments detach partition payments_2;
      create table payments_2b partition of payments for values from ('2020-02-01') to ('2020-03-01');
      insert into payments (id, day, amount) select id, day, amount from payments_2; commit`)
    await db.admin.query('truncate payments_2')
    expect(await streams()).toMatchObject({ '["40","2020-02-05"]': expect.stringMatching(/Paid$/) })
    await db.admin.query(`begin; lock table payments in share row exclusive mode;
      select eventward.install_triggers('Payment', 'dual_write'); commit`)
    await expectProven()
  })

  it('flips all leaves, and refuses direct writes where it is told to', async () => {
    await db.admin.query(`update eventward.captures set direct_writes = 'refuse', phase = 'event_first'`)
    await db.admin.query(`begin; lock table payments in share row exclusive mode;
      select eventward.install_triggers('Payment', 'event_first'); commit`)
    for (const write of [
      `insert into payments_1 values (1, '2020-01-05', 1.50, null)`,
      `insert into payments values (1, '2020-02-05', 1.50, null)`,
      'truncate payments',
    ]) {
      await expect(db.admin.query(write)).rejects.toMatchObject({ code: 'EW010' })
    }
    await db.admin.query(`begin; lock table payments in share row exclusive mode;
      select eventward.install_triggers('Payment', 'dual_write'); commit`)
    await db.admin.query(`update eventward.captures set direct_writes = 'capture', phase = 'dual_write'`)
    await db.admin.query(`insert into payments_1 values (1, '2020-01-05', 1.50, null)`)
    await expectProven()
  })

  it('is left alone once the triggers are removed', async () => {
    await db.admin.query(`begin; lock table payments in access exclusive mode;
      select eventward.remove_triggers('Payment'); commit`)
    const before = await streams()
    await db.admin.query(`insert into payments values (12, '2020-03-05', 1.50, null)`)
    await db.admin.query(`truncate payments`)
    expect(await streams()).toEqual(before)
    const { rows } = await db.admin.query(
      `select tgname, tgrelid::regclass from pg_trigger join pg_proc p on p.oid = tgfoid where p.proname like 'capture_%'`,
    )
    expect(rows).toEqual([])
  })
})
