import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import type { DifferenceKind } from '../../src/verify/index.js'
import { verify } from '../../src/verify/index.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** What went past the events while capture was off, row by row. */
const UNSEEN = `
  update subscriptions set user_id = 77, stripe_key = 'unseen' where id = 1;
  update subscriptions set status = 'inactive', deactivated_at = '2024-05-01 12:00:00+00' where id = 2;
  delete from subscriptions where id = 3;
  insert into subscriptions values (100, 1, 1, 'pm', 'active', 'sub', '2024-01-01Z', '2024-01-02Z', null);
`
/** The end of a stream whose row is there. */
const DEAD = `
  insert into events (aggregate_type, aggregate_id, version, type, data, occurred_at)
  select 'Subscription', '4', max(version) + 1, 'Deleted', '{}', now() from events where aggregate_id = '4'`

async function expectProven(db: TestDatabase): Promise<void> {
  for (const engine of ['sql', 'replay'] as const) {
    const { table, differences } = await verify(db.database, Subscription, { engine })
    expect({ engine, differences, clean: table.clean }).toEqual({ engine, differences: [], clean: true })
  }
}

async function streamOf(db: TestDatabase, id: string): Promise<readonly string[]> {
  const { rows } = await db.admin.query<Record<'type' | 'data' | 'source', string>>(
    `select type, data::text as data, metadata ->> 'source' as source from events where aggregate_id = $1 order by version`,
    [id],
  )
  return rows.map(({ type, data, source }) => `${source} ${type} ${data}`)
}

const KINDS: readonly (readonly [string, DifferenceKind])[] = [
  ['1', 'row_differs'],
  ['100', 'missing_stream'],
  ['2', 'row_differs'],
  ['3', 'missing_row'],
  ['4', 'dead_stream'],
]

for (const capture of ['on', 'off'] as const) {
  describe(`a repair with capture ${capture}`, () => {
    const db = testDatabase()

    beforeAll(async () => {
      await db.admin.query(createSubscriptions)
      await db.admin.query(manySubscriptions(1, 20))
      await backfill(db.database, Subscription)
      await db.admin.query(UNSEEN)
      await db.admin.query(DEAD)
      if (capture === 'on') await installCapture(db.database, Subscription)
    })

    it('is said before it is done, and changes nothing then', async () => {
      const { rows: before } = await db.admin.query('select count(*) from events')
      const { repairs, differences } = await verify(db.database, Subscription, { repair: 'dry' })
      expect(differences.map(({ key, kind }) => [key, kind])).toEqual(KINDS)
      expect(repairs?.every(({ outcome }) => outcome === 'would_repair')).toBe(true)
      expect(repairs?.find(({ key }) => key === '2')?.events).toEqual([
        { type: 'Deactivated', data: '{}', occurredAt: '2024-05-01 12:00:00+00' },
      ])
      expect(repairs?.find(({ key }) => key === '3')?.events).toEqual([
        { type: 'Deleted', data: '{}', occurredAt: null },
      ])
      expect((await db.admin.query('select count(*) from events')).rows).toEqual(before)
    })

    it('makes the events explain every row, and both engines prove it', async () => {
      const { repairs, differences, table } = await verify(db.database, Subscription, { repair: 'now' })
      expect(repairs?.map(({ key, outcome }) => [key, outcome]).sort()).toEqual(
        KINDS.map(([key]) => [key, 'repaired']),
      )
      expect({ differences, clean: table.clean }).toEqual({ differences: [], clean: true })
      await expectProven(db)
    })

    it('appends what a write would have meant, and says that it was a repair', async () => {
      expect((await streamOf(db, '1')).at(-1)).toBe('repair Changed {"user_id": 77, "stripe_key": "unseen"}')
      expect((await streamOf(db, '2')).at(-1)).toBe('repair Deactivated {}')
      expect((await streamOf(db, '3')).at(-1)).toBe('repair Deleted {}')
      const source = capture === 'on' ? 'trigger' : 'repair'
      expect(await streamOf(db, '100')).toEqual([
        `${source} Created {"user_id": 1, "reward_id": 1, "payment_source_key": "pm"}`,
        `${source} Activated {"stripe_key": "sub"}`,
      ])
      const { rows } = await db.admin.query(
        `select distinct coalesce(metadata ->> 'run', metadata ->> 'repair') is not null as run,
           metadata ->> 'definition' is not null as definition, metadata ->> 'shape' is not null as shape
         from events where aggregate_id in ('1', '2', '3', '100') and (metadata ->> 'source' in ('repair', 'trigger'))`,
      )
      expect(rows).toEqual([{ run: 't', definition: 't', shape: 't' }])
    })

    it('closes what it has mended, and a second one finds nothing to do', async () => {
      const { rows } = await db.admin.query('select key from eventward.mismatches where resolved_at is null')
      expect(rows).toEqual([])
      const before = (await db.admin.query('select count(*) from events')).rows
      expect((await verify(db.database, Subscription, { repair: 'now' })).repairs).toEqual([])
      expect((await db.admin.query('select count(*) from events')).rows).toEqual(before)
    })

    it('mends an event whose text is no value of its column', async () => {
      await db.admin.query(`
        insert into events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        select 'Subscription', '6', max(version) + 1, 'Changed', '{"user_id": "none"}', now() from events where aggregate_id = '6'`)
      const { repairs, table } = await verify(db.database, Subscription, { repair: 'now' })
      expect(repairs).toMatchObject([{ key: '6', kind: 'unreadable', outcome: 'repaired' }])
      expect(table.clean).toBe(true)
      await expectProven(db)
    })

    it('says of a history that no event can mend what to do', async () => {
      await db.admin.query(`
        insert into events (aggregate_type, aggregate_id, version, type, data, occurred_at) values
          ('Subscription', '7', 70, 'Changed', '{}', now()),
          ('Subscription', '8', 80, 'Unheard', '{}', now()),
          ('Subscription', 'none', 1, 'Created', '{}', now())`)
      const { repairs, table } = await verify(db.database, Subscription, { repair: 'now' })
      expect(repairs?.map(({ key, kind, outcome }) => [key, kind, outcome]).sort()).toEqual([
        ['7', 'version_gap', 'left'],
        ['8', 'version_gap', 'left'],
        ['none', 'unreadable', 'left'],
      ])
      for (const one of repairs ?? []) {
        expect(one.message).toBeTruthy()
        expect(one.next).toContain('eventward backfill subscriptions --restart --confirm subscriptions')
      }
      expect(table).toMatchObject({ clean: false, differences: '3' })
    })
  })
}

describe('a repair of a table with triggers of its own', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(manySubscriptions(1, 5))
    await backfill(db.database, Subscription)
    await db.admin.query(`
      create function touch() returns trigger language plpgsql as $$ begin
        if new.user_id = 66 then raise exception 'row % is frozen', new.id; end if;
        new.reward_id := new.reward_id + 1000; return new; end $$;
      update subscriptions set user_id = 55 where id = 1;
      update subscriptions set user_id = 66 where id = 2;
      create trigger touch before update on subscriptions for each row execute function touch();`)
    await installCapture(db.database, Subscription)
  })

  it('records what they change on the way, and leaves the row that they refuse', async () => {
    const { repairs, differences } = await verify(db.database, Subscription, { repair: 'now' })
    expect(repairs).toMatchObject([
      { key: '1', outcome: 'repaired', events: [{ type: 'Changed' }, { type: 'Changed' }] },
      { key: '2', outcome: 'left', message: expect.stringContaining('row 2 is frozen') },
    ])
    expect((await streamOf(db, '1')).slice(-2)).toEqual([
      'repair Changed {"user_id": 55}',
      'trigger Changed {"reward_id": 1001}',
    ])
    expect(differences.map(({ key }) => key)).toEqual(['2'])
  })

  it('refuses where capture does not run', async () => {
    await db.admin.query(`
      update subscriptions set user_id = 1 where id = 3;
      alter table subscriptions disable trigger "~eventward_before";
      update subscriptions set user_id = 56 where id = 3`)
    await expect(verify(db.database, Subscription, { repair: 'now' })).rejects.toMatchObject({
      code: 'EW_CAPTURE_BROKEN',
    })
    const { rows } = await db.admin.query('select reward_id from subscriptions where id = 3')
    expect(rows).toEqual([{ reward_id: '2003' }])
  })
})

describe('a repair of a definition in a zone with a daylight saving time', () => {
  const db = testDatabase()

  it('asks the server what a local time means', async () => {
    const { defineAggregate, defineTable, occurredAt } = await import('../../src/definition/index.js')
    const table = defineTable<{ id: string; made: string; ended: string | null }>()({
      schema: 'public',
      name: 'zoned',
      key: ['id'],
      columns: {
        id: { type: 'text', nullable: false },
        made: { type: 'timestamp without time zone', nullable: false },
        ended: { type: 'timestamp without time zone', nullable: true },
      },
    })
    const Zoned = defineAggregate({
      name: 'Zoned',
      table,
      timeZone: 'Europe/Berlin',
      events: {
        Made: { creates: true, set: { made: occurredAt } },
        Ended: { set: { ended: occurredAt } },
      },
    })
    await db.admin.query(`
      create table zoned (id text primary key, made timestamp not null, ended timestamp);
      insert into zoned values ('a', '2024-01-01 12:00', null), ('b', '2024-01-01 12:00', null)`)
    await backfill(db.database, Zoned)
    // 02:30 is skipped on that day: the instant gives 03:30 back, which is residue.
    await db.admin.query(`
      update zoned set ended = '2024-07-01 12:00' where id = 'a';
      update zoned set ended = '2024-03-31 02:30' where id = 'b';
      insert into zoned values ('c', '2024-03-31 02:30', null)`)
    const { repairs, table: verified } = await verify(db.database, Zoned, { repair: 'now' })
    expect(verified.clean).toBe(true)
    expect(repairs).toMatchObject([
      { key: 'a', events: [{ type: 'Ended', occurredAt: '2024-07-01 10:00:00+00' }] },
      { key: 'b', events: [{ type: 'Ended' }, { type: 'Changed', data: '{"ended":"2024-03-31 02:30:00"}' }] },
      { key: 'c', events: [{ type: 'Made' }] },
    ])
    expect((await verify(db.database, Zoned, { engine: 'replay' })).table.clean).toBe(true)
  })
})
