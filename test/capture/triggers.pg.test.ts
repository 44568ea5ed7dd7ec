import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

describe('a captured table', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    await installCapture(db.database, Subscription)
  })

  const stream = async (id: string) => {
    const { rows } = await db.admin.query<Record<'type' | 'data' | 'at' | 'inferred' | 'source', string>>(
      `select type, data::text as data, case when metadata ->> 'inferred' is null then occurred_at::text end as at,
         metadata ->> 'source' as source
       from events where aggregate_id = $1 order by version`,
      [id],
    )
    return rows.map(({ type, data, at }) => [type, data, at].filter((part) => part !== null).join(' '))
  }

  const expectProven = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      const { table, differences } = await verify(db.database, Subscription, { engine })
      expect({ engine, differences, open: table.differences }).toMatchObject({
        differences: differences.filter(({ kind }) => kind === 'missing_stream'),
      })
    }
  }

  beforeEach(expectProven)

  it('records a creation of one event', async () => {
    await db.admin.query(
      `insert into subscriptions values (1, 7, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00.5+00', null, null)`,
    )
    expect(await stream('1')).toEqual([
      'Created {"user_id": 7, "reward_id": 8, "payment_source_key": "pm"} 2020-01-01 00:00:00.5+00',
    ])
    await expectProven()
  })

  it('records what one event explains, and what none does', async () => {
    await db.admin.query(
      `update subscriptions set status = 'active', stripe_key = 'sub_1', activated_at = '2020-02-01 00:00:00+00' where id = 1`,
    )
    await db.admin.query(`update subscriptions set user_id = 9 where id = 1`)
    await db.admin.query(`update subscriptions set user_id = 9 where id = 1`)
    await db.admin.query(
      `update subscriptions set status = 'unpaid', deactivated_at = '2020-03-01 00:00:00+00', activated_at = null where id = 1`,
    )
    expect((await stream('1')).slice(1)).toEqual([
      'Activated {"stripe_key": "sub_1"} 2020-02-01 00:00:00+00',
      'Changed {"user_id": 9}',
      'Changed {"status": "unpaid", "activated_at": null, "deactivated_at": "2020-03-01 00:00:00+00"}',
    ])
    await expectProven()
  })

  it('records a row as it was before its first captured change', async () => {
    await db.admin.query(`update subscriptions set user_id = 124 where id = 12`)
    expect(await stream('12')).toEqual([
      'Created {"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"} 2018-02-01 00:00:00+00',
      'Activated {"stripe_key": "sub_66123"} 2018-02-01 00:00:00+00',
      'Changed {"user_id": 124}',
    ])
    await expectProven()
  })

  it('records a creation of several events', async () => {
    await db.admin.query(
      `insert into subscriptions values (2, 7, 8, 'pm', 'inactive', 'k', '2020-01-01 00:00:00+00', '2020-01-02 00:00:00+00', '2020-01-03 00:00:00+00')`,
    )
    await db.admin.query(`insert into subscriptions select 3, user_id, reward_id, payment_source_key, status, stripe_key,
      created_at, deactivated_at, activated_at from subscriptions where id = 2 on conflict do nothing`)
    expect(await stream('2')).toHaveLength(3)
    await expectProven()
  })

  it('records a key change on both streams, a removal, and a key used again', async () => {
    await db.admin.query(`update subscriptions set id = 20, user_id = 1 where id = 2`)
    await db.admin.query(`delete from subscriptions where id = 1`)
    await db.admin.query(
      `insert into subscriptions values (1, 7, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00.5+00', null, null)`,
    )
    expect((await stream('2')).at(-1)).toBe('Deleted {}')
    expect(await stream('20')).toHaveLength(3)
    expect((await stream('1')).slice(-2)).toEqual([
      'Deleted {}',
      'Created {"user_id": 7, "reward_id": 8, "payment_source_key": "pm"} 2020-01-01 00:00:00.5+00',
    ])
    await db.admin.query(
      'begin; delete from subscriptions where id = 1; insert into subscriptions select 1, 5, 5, null, $$unpaid$$, null, now(), null, null; commit',
    )
    await expectProven()
  })

  it('records all rows of one statement', async () => {
    await db.admin.query(
      `insert into subscriptions select i, i, i, null, 'unpaid', null, now(), null, null from generate_series(100, 1099) i`,
    )
    await db.admin.query(`update subscriptions set id = id + 10000 where id between 100 and 199`)
    await db.admin.query(`update subscriptions set status = 'active', activated_at = now() where id > 500`)
    await db.admin.query(`delete from subscriptions where id % 2 = 0 and id <> 12`)
    await expectProven()
  })

  it('has read no row by name so far', async () => {
    const { rows } = await db.admin.query(`select type, metadata from events where metadata ? 'cold'`)
    expect(rows).toEqual([])
  })

  it.each([
    ['no event', '[]'],
    ['what are no events', 'null'],
  ])('records a write that is announced with %s as any other', async (_, events) => {
    await db.admin.query(
      `insert into subscriptions values (60, 1, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00+00', null, null)`,
    )
    const announced = `{"type":"Subscription","id":"60","events":${events},"image":{"id":"60","user_id":"2"}}`
    await db.admin.query(
      `begin; select set_config('eventward.announced', '${announced}', true); update subscriptions set user_id = 2 where id = 60; commit`,
    )
    expect((await stream('60')).at(-1)).toBe('Changed {"user_id": 2}')
    await db.admin.query('delete from subscriptions where id = 60')
  })

  it('takes no announcement for a change of the key', async () => {
    await db.admin.query(
      `insert into subscriptions values (61, 1, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00+00', null, null)`,
    )
    const announced = `{"type":"Subscription","id":"61","events":[{"type":"Changed","schemaVersion":1,"data":{}}],"image":{}}`
    await db.admin.query(
      `begin; select set_config('eventward.announced', '${announced}', true); update subscriptions set id = 62 where id = 61; commit`,
    )
    expect(await stream('62')).toHaveLength(1)
    expect((await stream('61')).at(-1)).toBe('Deleted {}')
    await expectProven()
  })

  it('records nothing of a row with a used key that a nested trigger removes before its turn', async () => {
    const row = (id: number, user: number) =>
      `(${id}, ${user}, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00+00', null, null)`
    await db.admin.query(`
      create function zap() returns trigger language plpgsql as $$ begin
        if new.user_id = 99 then delete from subscriptions where id = 71; end if; return null; end $$;
      create trigger zap after insert on subscriptions for each row execute function zap();
      insert into subscriptions values ${row(71, 1)};
      delete from subscriptions where id = 71`)
    await db.admin.query(`insert into subscriptions values ${row(70, 99)}, ${row(71, 1)}`)
    expect((await stream('71')).at(-1)).toBe('Deleted {}')
    await expectProven()
    await db.admin.query('drop trigger zap on subscriptions')
  })

  it('goes on by name after a stranger’s ALTER TABLE', async () => {
    await db.admin.query(`alter table subscriptions add column note text default 'n'`)
    await db.admin.query(`update subscriptions set note = 'x', user_id = 77 where id = 101`)
    await db.admin.query(
      `insert into subscriptions values (4, 7, 8, 'pm', 'unpaid', null, '2020-01-01 00:00:00.5+00', null, null, 'y')`,
    )
    expect((await stream('4')).at(-1)).toBe(
      'Created {"user_id": 7, "$residue": {"note": "y"}, "reward_id": 8, "payment_source_key": "pm"} 2020-01-01 00:00:00.5+00',
    )
    await db.admin.query(`alter table subscriptions rename column user_id to owner`)
    await db.admin.query(`update subscriptions set owner = 78 where id = 4`)
    expect((await stream('4')).at(-1)).toBe('Changed {"$residue": {"owner": 78}}')
    await db.admin.query(`alter table subscriptions rename column id to ident`)
    await db.admin.query(`update subscriptions set stripe_key = 'k' where ident = 4`)
    expect((await stream('4')).at(-1)).toBe('Changed {"stripe_key": "k"}')
    await db.admin.query(`delete from subscriptions where ident = 4`)
    expect((await stream('4')).at(-1)).toBe('Deleted {}')
    await db.admin.query(`alter table subscriptions rename column ident to id`)
    await db.admin.query(`alter table subscriptions rename column owner to user_id`)
    await db.admin.query(`alter table subscriptions drop column note`)
    const { rows } = await db.admin.query('select * from eventward.incomplete')
    expect(rows).toEqual([])
  })

  it('records TRUNCATE as the end of every stream', async () => {
    await db.admin.query(
      'begin; update subscriptions set user_id = 1 where id = 101; truncate subscriptions; commit',
    )
    const { rows } = await db.admin.query<{ type: string }>(
      `select distinct on (aggregate_id) type from events order by aggregate_id, version desc`,
    )
    expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['Deleted']))
    expect((await db.admin.query('select * from eventward.incomplete')).rows).toEqual([])
  })
})
