import { beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { verify } from '../../src/verify/index.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { backendPid, until } from '../support/race.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** Capture off as `capture off` leaves it. */
const OFF = `
  begin;
  lock table subscriptions in access exclusive mode;
  select eventward.remove_triggers('Subscription');
  update eventward.captures set state = 'off', epoch = epoch + 1;
  commit;`

async function expectProven(db: TestDatabase): Promise<void> {
  for (const engine of ['sql', 'replay'] as const) {
    const { table, differences } = await verify(db.database, Subscription, { engine })
    expect({ engine, differences, clean: table.clean }).toEqual({ engine, differences: [], clean: true })
  }
}

describe('a repair beside writers', () => {
  const db = testDatabase()

  beforeEach(async () => {
    await db.admin.query(`
      drop table if exists subscriptions;
      drop type if exists subscription_status;
      ${createSubscriptions}
      ${manySubscriptions(1, 10)}`)
    await db.admin.query(`
      set session_replication_role = replica;
      do $$ declare p text; begin
        for p in select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass loop
          execute format('alter table events detach partition %s', p);
          execute format('alter table %s rename to %I', p, 'old_' || gen_random_uuid());
        end loop; end $$;
      delete from eventward.captures; delete from eventward.definitions; delete from eventward.aggregates;
      delete from eventward.mismatches; delete from eventward.chunks; delete from eventward.runs;
      set session_replication_role = default`)
    await backfill(db.database, Subscription)
    await db.admin.query('update subscriptions set user_id = 77 where id = 1')
    await installCapture(db.database, Subscription)
  })

  /** A REPEATABLE READ writer whose snapshot is older than the repair of the row that it then writes. */
  const olderWriter = async (repair: () => Promise<unknown>): Promise<unknown> => {
    const writer = await db.client()
    await writer.query('begin isolation level repeatable read')
    await writer.query('select count(*) from subscriptions')
    await repair()
    const error = await writer.query('update subscriptions set user_id = 88 where id = 1').then(
      () => null,
      (raised: unknown) => (raised as { code?: string }).code,
    )
    await writer.query('rollback')
    return error
  }

  it('gives a writer with an older snapshot the serialization failure that any update would', async () => {
    expect(await olderWriter(() => verify(db.database, Subscription, { repair: 'now' }))).toBe('40001')
    await expectProven(db)
  })

  it('(an append that leaves the row alone gives it an error of our index)', async () => {
    const append = () =>
      db.admin.query(`
        insert into events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
        select 'Subscription', '1', max(version) + 1, 'Changed', '{"user_id": 77}', '{"source":"repair"}', clock_timestamp()
        from events where aggregate_id = '1'`)
    expect(await olderWriter(append)).toBe('23505')
  })

  it('waits for a writer of the row, and repairs what it left', async () => {
    const writer = await db.client()
    await writer.query('begin')
    await writer.query('update subscriptions set reward_id = 5 where id = 1')
    const repairing = verify(db.database, Subscription, { repair: 'now' })
    await until(
      async () => {
        const { rows } = await db.admin.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%for no key update%'`,
        )
        return rows.length > 0
      },
      { what: 'the repair to wait for the row' },
    )
    await writer.query('commit')
    expect(await repairing).toMatchObject({ table: { clean: true } })
    await expectProven(db)
  })

  it('gives up on a row that stays locked, says so, and blocks nobody for it', async () => {
    const writer = await db.client()
    await writer.query('begin')
    await writer.query('update subscriptions set reward_id = 5 where id = 1')
    const { repairs, table } = await verify(db.database, Subscription, { repair: 'now' })
    expect(repairs).toMatchObject([
      { key: '1', outcome: 'left', next: expect.stringContaining('--open --repair') },
    ])
    expect(table.clean).toBe(false)
    await writer.query('commit')
    expect(await verify(db.database, Subscription, { open: true, repair: 'now' })).toMatchObject({
      table: { clean: true },
    })
    await expectProven(db)
  })

  it('ends a stream without a row once, though an insert of its key is under way', async () => {
    await db.admin.query(`
      alter table subscriptions disable trigger "~eventward_before";
      delete from subscriptions where id = 2;
      alter table subscriptions enable always trigger "~eventward_before"`)
    const writer = await db.client()
    await writer.query('begin')
    await writer.query(`insert into subscriptions values (2, 5, 5, null, 'unpaid', null, now(), null, null)`)
    const { repairs } = await verify(db.database, Subscription, { repair: 'now' })
    expect(repairs).toMatchObject([
      { key: '1', outcome: 'repaired' },
      { key: '2', outcome: 'left' },
    ])
    await writer.query('commit')
    await verify(db.database, Subscription, { open: true, repair: 'now' })
    await expectProven(db)
  })

  it('holds an insert of the key off until the end of its old stream is written', async () => {
    await db.admin.query(`
      alter table subscriptions disable trigger "~eventward_before";
      delete from subscriptions where id = 2;
      alter table subscriptions enable always trigger "~eventward_before";
      create or replace function public.until_someone_waits() returns trigger language plpgsql as $$ begin
        while not exists (select from pg_locks where not granted) loop perform pg_sleep(0.005); end loop;
        return new; end $$;
      create trigger until_someone_waits after insert on events for each row
        when (new.type = 'Deleted' and new.metadata ->> 'source' = 'repair') execute function public.until_someone_waits()`)
    const repairing = verify(db.database, Subscription, { repair: 'now' })
    await until(
      async () => {
        const { rows } = await db.admin.query(
          `select from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
             and query like '%insert into "public"."events"%' and wait_event = 'PgSleep'`,
        )
        return rows.length > 0
      },
      { what: 'the repair to be about to commit' },
    )
    const writer = await db.client()
    await writer.query(`insert into subscriptions values (2, 5, 5, null, 'unpaid', null, now(), null, null)`)
    expect(await repairing).toMatchObject({ repairs: [{ key: '1' }, { key: '2', outcome: 'repaired' }] })
    await db.admin.query('drop trigger until_someone_waits on events')
    const { rows } = await db.admin.query(
      `select string_agg(type, ' ' order by version) as types from events where aggregate_id = '2'`,
    )
    expect(rows).toEqual([{ types: 'Created Activated Deactivated Deleted Created' }])
    await expectProven(db)
  })

  it('heals what was written while capture was off in the middle of a backfill', async () => {
    await db.admin.query(OFF)
    await db.admin.query(`
      insert into subscriptions values (50, 5, 5, null, 'unpaid', null, now(), null, null);
      update subscriptions set reward_id = reward_id + 1 where id in (3, 4);
      delete from subscriptions where id = 5`)
    await installCapture(db.database, Subscription)
    const found = await verify(db.database, Subscription)
    expect(found.differences.map(({ key, kind }) => [key, kind])).toEqual([
      ['1', 'row_differs'],
      ['3', 'row_differs'],
      ['4', 'row_differs'],
      ['5', 'missing_row'],
      ['50', 'missing_stream'],
    ])
    const { repairs } = await verify(db.database, Subscription, { open: true, repair: 'now' })
    expect(repairs?.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'repaired'))
    await expectProven(db)
  })

  it('two at once repair each row once', async () => {
    await verify(db.database, Subscription)
    await Promise.all([
      verify(db.database, Subscription, { open: true, repair: 'now' }),
      verify(db.database, Subscription, { open: true, repair: 'now' }),
    ])
    const { rows } = await db.admin.query(
      `select count(*)::text as n from events where aggregate_id = '1' and metadata ->> 'source' = 'repair'`,
    )
    expect(rows).toEqual([{ n: '1' }])
    await expectProven(db)
  })

  it('waits for a backfill that is at work on the same row, and adds nothing to its stream', async () => {
    await db.admin.query(`${OFF}
      insert into subscriptions values (60, 5, 5, null, 'unpaid', null, now(), null, null)`)
    await verify(db.database, Subscription)
    const slice = await db.client()
    await slice.query('begin')
    await slice.query(
      `insert into events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
       select 'Subscription', '60', 1, 'Created', '{"user_id": 5, "reward_id": 5, "payment_source_key": null}',
         '{"source":"backfill"}', created_at from subscriptions where id = 60`,
    )
    const repairing = verify(db.database, Subscription, { open: true, repair: 'now' })
    const pid = await backendPid(slice)
    await until(
      async () => {
        const { rows } = await db.admin.query(
          'select from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid))',
          [pid],
        )
        return rows.length > 0
      },
      { what: 'the repair to wait for the version' },
    )
    await slice.query('commit')
    await repairing
    const { rows } = await db.admin.query(`select type from events where aggregate_id = '60'`)
    expect(rows).toEqual([{ type: 'Created' }])
    await expectProven(db)
  })
})
