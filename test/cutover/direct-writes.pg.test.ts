/** What old code still writes to the row in event_first: captured, or refused at trigger depth 1. */
import { beforeEach, describe, expect, it } from 'vitest'
import { advance, rollback } from '../../src/cutover/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { Subscription, subscriptions } from '../support/subscription.js'
import { forget, provenSubscriptions } from './proven-table.js'

const Refusing = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  directWrites: 'refuse',
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
    Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
  },
})

describe('event_first', () => {
  const db = testDatabase()
  beforeEach(() => forget(db))

  const clean = async () => {
    for (const engine of ['sql', 'replay'] as const) {
      const { table, differences } = await verify(db.database, Subscription, { engine })
      expect(differences).toEqual([])
      expect(table.clean).toBe(true)
    }
  }

  it('captures the direct writes of old code where it was not told to refuse them', async () => {
    await provenSubscriptions(db, 10)
    await advance(db.database, Subscription)
    await db.admin.query(`
      update public.subscriptions set user_id = 0 where id = 1;
      delete from public.subscriptions where id = 2;
      insert into public.subscriptions select 50, 1, 1, null, 'unpaid', null, now()`)
    await clean()
  })

  it('refuses them where told to, with a code, and what triggers and cascades write is captured all the same', async () => {
    await provenSubscriptions(db, 10, Refusing)
    await db.admin.query(`
      create table public.rewards (id bigint primary key);
      insert into public.rewards select distinct reward_id from public.subscriptions;
      alter table public.subscriptions add foreign key (reward_id) references public.rewards on delete cascade;
      create table public.inbox (subscription_id bigint);
      create function public.from_inbox() returns trigger language plpgsql as
        $$ begin update public.subscriptions set user_id = 7 where id = new.subscription_id; return new; end $$;
      create trigger from_inbox after insert on public.inbox for each row execute function public.from_inbox()`)
    // The foreign key made triggers of its own: the proof is renewed.
    await db.admin.query('update eventward.captures set verified_fingerprint = eventward.fingerprint(relid)')
    await db.admin.query('update public.subscriptions set user_id = 1 where id = 1')

    expect(await advance(db.database, Refusing)).toMatchObject({ ok: true })
    for (const write of [
      'update public.subscriptions set user_id = 2 where id = 1',
      'delete from public.subscriptions where id = 1',
      `insert into public.subscriptions select 50, 1, 1, null, 'unpaid', null, now()`,
    ])
      await expect(db.admin.query(write), write).rejects.toMatchObject({ code: 'EW010' })
    await db.admin.query('insert into public.inbox values (1)')
    await db.admin.query('delete from public.rewards where id = 2')
    const { rows } = await db.admin.query(
      `select type, data from public.events where aggregate_id = '1' order by version desc limit 1`,
    )
    expect(rows).toEqual([{ type: 'Changed', data: '{"user_id": 7}' }])
    await clean()

    await rollback(db.database, Refusing)
    await db.admin.query('update public.subscriptions set user_id = 2 where id = 1')
    await clean()
    await db.admin.query('drop table public.inbox, public.rewards cascade; drop function public.from_inbox()')
  })

  it('follows the definition at each advance, in which it may say otherwise', async () => {
    await provenSubscriptions(db, 10)
    await advance(db.database, Subscription)
    await db.admin.query('update public.subscriptions set user_id = 2 where id = 1')
    await rollback(db.database, Subscription)
    const { hash } = (
      await db.admin.query<{ hash: string }>('select definition_hash as hash from eventward.captures')
    ).rows[0] as { hash: string }
    const refusing = await advance(db.database, Refusing)
    const closed = refusing.gate.filter(({ ok }) => !ok)
    expect(closed, hash).toEqual([])
    await expect(
      db.admin.query('update public.subscriptions set user_id = 2 where id = 1'),
    ).rejects.toMatchObject({ code: 'EW010' })
  })
})

describe('a legacy trigger that sets last_update (C4)', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  it('before ours in event_first is in the events: row and fold agree, by both engines', async () => {
    await db.admin.query(`
      create function public.touched() returns trigger language plpgsql as
        $$ begin new.payment_source_key = 'touched ' || clock_timestamp(); return new; end $$;
      create trigger last_update before update on public.subscriptions for each row execute function public.touched()`)
    await db.admin.query('update eventward.captures set verified_fingerprint = eventward.fingerprint(relid)')
    expect(await advance(db.database, Subscription)).toMatchObject({ ok: true })
    await db.admin.query('update public.subscriptions set user_id = 2 where id < 5')
    const { rows } = await db.admin.query<{ carried: string }>(
      `select data ? 'payment_source_key' as carried from public.events where aggregate_id = '1' order by version desc limit 1`,
    )
    expect(rows).toEqual([{ carried: 't' }])
    for (const engine of ['sql', 'replay'] as const) {
      const { table } = await verify(db.database, Subscription, { engine })
      expect(table.differences, engine).toBe('0')
    }
    const back = await rollback(db.database, Subscription)
    expect(back, 'the verifies have looked at all of it').toMatchObject({
      ok: true,
      reverified: { streams: 0 },
    })
  })

  it('changes what a command has announced: that follows as a Changed of its own, where without capture it is lost', async () => {
    await db.admin.query(`
      create or replace function public.touched() returns trigger language plpgsql as
        $$ begin new.payment_source_key = 'touched'; return new; end $$;
      create trigger last_update before update on public.subscriptions for each row execute function public.touched();
      update eventward.captures set verified_fingerprint = eventward.fingerprint(relid)`)
    expect(await advance(db.database, Subscription)).toMatchObject({ ok: true })
    const at = '2024-05-01 10:00:00+00'
    const { rows: row } = await db.admin
      .query<{ image: string }>(
        `set timezone = 'UTC'; select json_object_agg(k, v) as image from public.subscriptions s, json_each_text(to_json(s)) j (k, v) where id = 3`,
      )
      .then((results) => (results as unknown as { rows: { image: string }[] }[])[1]!)
    const image = {
      ...(JSON.parse(row[0]!.image) as Record<string, string>),
      created_at: '2018-01-01 00:03:00+00',
      status: 'active',
      stripe_key: 'sub_x',
      activated_at: at,
    }
    const announced = {
      type: 'Subscription',
      id: '3',
      metadata: {},
      events: [{ type: 'Activated', schemaVersion: 1, data: { stripe_key: 'sub_x' }, occurredAt: at }],
      image,
    }
    const write = `update public.subscriptions set status = 'active', stripe_key = 'sub_x', activated_at = '${at}' where id = 3`
    await db.admin.query('begin')
    await db.admin.query(`select set_config('eventward.announced', $1, true)`, [JSON.stringify(announced)])
    await db.admin.query(write)
    await db.admin.query('commit')
    const { rows } = await db.admin.query(
      `select type, data from public.events where aggregate_id = '3' order by version desc limit 2`,
    )
    expect(rows).toEqual([
      { type: 'Changed', data: '{"payment_source_key": "touched"}' },
      { type: 'Activated', data: '{"stripe_key": "sub_x"}' },
    ])
    expect((await verify(db.database, Subscription)).table.differences).toBe('0')

    // The naive form: the command appends and brings the row along, and nobody looks at what became of it.
    await db.admin.query('alter table public.subscriptions disable trigger "~eventward_before"')
    await db.admin.query(`
      update public.subscriptions set user_id = 9 where id = 6;
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'Subscription', '6', 1 + max(version), 'Changed', '{"user_id": 9}', clock_timestamp()
      from public.events where aggregate_id = '6'`)
    const naive = await verify(db.database, Subscription)
    expect(naive.differences.map(({ key, kind }) => ({ key, kind }))).toEqual([
      { key: '6', kind: 'row_differs' },
    ])
  })
})
