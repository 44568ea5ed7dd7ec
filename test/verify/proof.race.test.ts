/** When a verify counts as the proof that a gate asks for. */
import type pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { bindAggregate } from '../../src/bind/index.js'
import { captureOff, captureOn } from '../../src/capture/index.js'
import type { Database } from '../../src/db/index.js'
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { registerDefinition } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { backendPid, gate } from '../support/race.js'
import { createSubscriptions, Subscription, subscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

const SMALL = { workers: 1, chunkSize: 20 } as const

describe('a verify beside capture', () => {
  const db = testDatabase()
  let app: pg.Client

  beforeEach(async () => {
    app ??= await db.client()
    const { rows } = await db.admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename like 'events\\_%'`,
    )
    for (const { name } of rows) await db.admin.query(`drop table ${name}`)
    await db.admin.query(`
      drop table if exists public.subscriptions;
      drop type if exists public.subscription_status;
      delete from eventward.captures; delete from eventward.runs; delete from eventward.mismatches;
      delete from eventward.incomplete; delete from eventward.definitions; delete from eventward.aggregates;
      ${createSubscriptions} ${manySubscriptions(1, 100)}`)
    await captureOn(db.database, Subscription)
    await backfill(db.database, Subscription)
  })

  async function proof() {
    const { rows } = await db.admin.query(
      `select verified_run as run, verified_fingerprint = eventward.fingerprint(relid) as same,
         verified_snapshot as snapshot, verified_horizon as horizon, verified_hash = definition_hash as hash
       from eventward.captures`,
    )
    return rows[0]
  }

  /** Runs `meanwhile` once, ahead of the third range that the database is asked for. */
  function afterTwoRanges(meanwhile: () => Promise<unknown>): Database {
    let ranges = 0
    return interpose(db.database, async (text) => {
      if (!text.includes('lock table')) return
      ranges += 1
      if (ranges === 3) await meanwhile()
    })
  }

  it('that is full and clean is kept as proof, with all that came after it', async () => {
    const { table } = await verify(db.database, Subscription)
    expect(table).toMatchObject({ clean: true, proof: true })
    expect(await proof()).toMatchObject({ run: table.run, same: 't', hash: 't' })
    const { rows: max } = await db.admin.query('select max(position) as position from public.events')
    expect((await proof())?.horizon, 'nothing was open').toBe(max[0].position)
    await app.query('update public.subscriptions set user_id = 1 where id = 7')
    const { rows } = await db.admin.query(
      `select distinct e.aggregate_id from public.events e, eventward.captures c
       where e.position > c.verified_horizon and not pg_visible_in_snapshot(e.transaction_id, c.verified_snapshot)`,
    )
    expect(rows).toEqual([{ aggregate_id: '7' }])
  })

  it('is one beside live writers, whose changes come after its mark', async () => {
    const database = afterTwoRanges(() =>
      app.query('update public.subscriptions set user_id = 2 where id > 90'),
    )
    expect((await verify(database, Subscription, SMALL)).table).toMatchObject({ clean: true, proof: true })
    const { rows } = await db.admin.query(
      `select count(distinct e.aggregate_id) as n from public.events e, eventward.captures c
       where e.position > c.verified_horizon and not pg_visible_in_snapshot(e.transaction_id, c.verified_snapshot)`,
    )
    expect(rows).toEqual([{ n: '10' }])
  })

  it('with a writer open at its start has a horizon below whatever that one wrote', async () => {
    const writer = await db.client()
    await writer.query('begin; update public.subscriptions set user_id = 3 where id = 5')
    await app.query('update public.subscriptions set user_id = 3 where id = 6')
    const { table } = await verify(db.database, Subscription)
    expect(table).toMatchObject({ clean: true, proof: true })
    await writer.query('commit')
    const { rows } = await db.admin.query(
      `select distinct e.aggregate_id from public.events e, eventward.captures c
       where e.position > c.verified_horizon and not pg_visible_in_snapshot(e.transaction_id, c.verified_snapshot)`,
    )
    expect(rows, 'what committed late is not passed over').toEqual([{ aggregate_id: '5' }])
    const { rows: whole } = await db.admin.query(
      `select count(*) as n from public.events e, eventward.captures c
       where not pg_visible_in_snapshot(e.transaction_id, c.verified_snapshot)`,
    )
    expect(whole).toEqual([{ n: '1' }])
  })

  it('that fails takes the proof away that stood', async () => {
    await verify(db.database, Subscription)
    await db.admin.query(`begin; set local session_replication_role = replica;
      alter table public.subscriptions disable trigger user;
      update public.subscriptions set user_id = -1 where id = 7;
      alter table public.subscriptions enable trigger user; commit`)
    await captureOn(db.database, Subscription)
    const { table } = await verify(db.database, Subscription)
    expect(table).toMatchObject({ clean: false, proof: false })
    expect(await proof()).toMatchObject({ run: null, snapshot: null })
  })

  it.each([
    [
      'a trigger that was disabled and enabled',
      'alter table public.subscriptions disable trigger user; alter table public.subscriptions enable always trigger "~eventward_before"; alter table public.subscriptions enable always trigger "!eventward_after_insert"; alter table public.subscriptions enable always trigger "!eventward_after_update"; alter table public.subscriptions enable always trigger "~eventward_truncate"',
    ],
    [
      'a trigger more',
      'create trigger zz after update on public.subscriptions for each row execute function suppress_redundant_updates_trigger()',
    ],
    ['row level security', 'alter table public.subscriptions enable row level security'],
  ])('is clean, but no proof, where %s comes between', async (_, ddl) => {
    const database = afterTwoRanges(() => db.admin.query(ddl))
    const { table } = await verify(database, Subscription, SMALL)
    expect(table).toMatchObject({ clean: true, proof: false, notice: expect.stringContaining('no proof') })
    expect(await proof()).toMatchObject({ run: null })
  })

  it('is no proof where capture was turned off and on again meanwhile', async () => {
    const database = afterTwoRanges(async () => {
      await captureOff(db.database, Subscription)
      await captureOn(db.database, Subscription)
    })
    expect((await verify(database, Subscription, SMALL)).table).toMatchObject({ clean: true, proof: false })
  })

  it('without capture is clean, and says nothing of a proof', async () => {
    await captureOff(db.database, Subscription)
    const { table } = await verify(db.database, Subscription)
    expect(table).toMatchObject({ clean: true, proof: false })
    expect(table.notice).toBeUndefined()
  })

  it('of what is open alone is no proof, and takes none away', async () => {
    const { table } = await verify(db.database, Subscription)
    expect((await verify(db.database, Subscription, { open: true })).table).toMatchObject({
      clean: true,
      proof: false,
    })
    expect((await proof())?.run).toBe(table.run)
  })

  /** A change that no trigger sees. */
  const unseen = `begin;
    alter table public.subscriptions disable trigger user;
    update public.subscriptions set user_id = -1 where id = 1;
    alter table public.subscriptions enable always trigger "~eventward_before";
    alter table public.subscriptions enable always trigger "!eventward_after_insert";
    alter table public.subscriptions enable always trigger "!eventward_after_update";
    alter table public.subscriptions enable always trigger "~eventward_truncate"; commit`

  describe('two that overlap', () => {
    /** An event that its row contradicts: nothing but verify sees it. */
    const forge = () =>
      db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
        select 'Subscription', '1', max(version) + 1, 'Changed', '{"user_id": -1}', now()
        from public.events where aggregate_type = 'Subscription' and aggregate_id = '1'`)

    /** A verify that has read all, and stands before its end. */
    function halted() {
      const read = gate()
      let ends = 0
      const slow = interpose(db.database, async (text) => {
        if (!text.includes('for no key update') || !text.includes('eventward.captures')) return
        ends += 1
        if (ends === 1) await read.pass()
      })
      return { read, verified: verify(slow, Subscription, SMALL) }
    }

    it('a clean one that ends after another failed is no proof, though it read before', async () => {
      const { read, verified } = halted()
      await read.entered
      await forge()
      expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: false })
      read.open()
      expect((await verified).table).toMatchObject({
        clean: true,
        proof: false,
        notice: expect.stringContaining('open differences'),
      })
      expect(await proof()).toMatchObject({ run: null })
    })

    it('nor where what the other found was repaired since: no one has looked at the whole table', async () => {
      const { read, verified } = halted()
      await read.entered
      await forge()
      const { table } = await verify(db.database, Subscription)
      await verify(db.database, Subscription, { open: true, repair: 'now' })
      read.open()
      expect((await verified).table).toMatchObject({
        clean: true,
        proof: false,
        notice: expect.stringContaining(`run ${table.run} found differences`),
      })
      expect(await proof()).toMatchObject({ run: null })
    })

    it('a failed one that ends after a clean one takes its proof away', async () => {
      await db.admin.query(unseen)
      const late = gate()
      let ends = 0
      const slow = interpose(db.database, async (text) => {
        if (!text.includes('for no key update') || !text.includes('eventward.captures')) return
        ends += 1
        if (ends === 1) await late.pass()
      })
      const failing = verify(slow, Subscription, SMALL)
      await late.entered
      await app.query('update public.subscriptions set user_id = 1 where id = 1')
      await verify(db.database, Subscription, { repair: 'now' })
      const clean = await verify(db.database, Subscription)
      expect(clean.table).toMatchObject({ clean: true })
      late.open()
      expect((await failing).table).toMatchObject({ clean: false, proof: false })
      expect(await proof()).toMatchObject({ run: null })
      expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: true, proof: true })
    })
  })

  describe('what is incomplete', () => {
    const note = (id: string) =>
      app.query(
        `insert into eventward.incomplete (aggregate_type, aggregate_id, reason) values ('Subscription', $1, 'test')`,
        [id],
      )
    const open = async () => {
      const { rows } = await db.admin.query<{ aggregate_id: string }>(
        'select aggregate_id from eventward.incomplete where resolved_at is null order by 1',
      )
      return rows.map(({ aggregate_id }) => aggregate_id)
    }

    it('is closed by a clean verify that began after it, and by no failed one', async () => {
      await note('1')
      await db.admin.query(unseen)
      await verify(db.database, Subscription)
      expect(await open()).toEqual(['1'])
      await verify(db.database, Subscription, { repair: 'now' })
      expect(await open()).toEqual(['1'])
      expect((await verify(db.database, Subscription)).table).toMatchObject({ clean: true })
      expect(await open()).toEqual([])
    })

    it('stays where it was noted before a verify began and committed after: what was read lies before it', async () => {
      await app.query('begin')
      await note('1')
      const pid = await backendPid(app)
      const database = afterTwoRanges(() => app.query('commit'))
      expect((await verify(database, Subscription, SMALL)).table).toMatchObject({ clean: true })
      expect(pid).not.toBe('')
      expect(await open(), 'by its time alone it would be closed').toEqual(['1'])
      await verify(db.database, Subscription)
      expect(await open()).toEqual([])
    })
  })

  describe('during a rolling deploy', () => {
    const Newer = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      events: {
        Created: {
          creates: true,
          data: ['user_id', 'reward_id', 'payment_source_key'],
          set: { status: 'unpaid', created_at: occurredAt },
        },
        Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
        Deactivated: { set: { status: 'inactive', deactivated_at: occurredAt } },
        Transferred: { data: ['user_id'] },
      },
    })

    it.each(['sql', 'replay'] as const)(
      'events of a definition that was registered since are read by it, and not called unknown (%s)',
      async (engine) => {
        let met = false
        const database = afterTwoRanges(async () => {
          met = true
          await db.database.session(async (session) => {
            const { model } = await bindAggregate(session, Newer)
            await registerDefinition(session, model, { schema: 'public', table: 'events' })
          })
          await captureOn(db.database, Newer)
          await app.query('update public.subscriptions set user_id = 7 where id > 1')
        })
        const { table, differences } = await verify(database, Subscription, { ...SMALL, engine })
        expect(met).toBe(true)
        expect(differences).toEqual([])
        expect(table).toMatchObject({ clean: true, proof: false })
        const { rows } = await db.admin.query(
          `select count(*) as n from public.events where type = 'Transferred'`,
        )
        expect(Number(rows[0]?.n)).toBeGreaterThan(90)
      },
    )
  })
})
