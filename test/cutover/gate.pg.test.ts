/** What closes the gate: each alone, with nothing changed, no lock taken, and a next step. */
import { beforeEach, describe, expect, it } from 'vitest'
import { advance, type CutoverOptions, cutoverStatus, type GateName } from '../../src/cutover/index.js'
import { type AggregateDefinition, defineAggregate, occurredAt } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { Subscription, subscriptions } from '../support/subscription.js'
import { forget, phaseOf, provenSubscriptions } from './proven-table.js'

/** The same but for its last event. */
const Changed = defineAggregate({
  name: 'Subscription',
  table: subscriptions,
  events: {
    Created: {
      creates: true,
      data: ['user_id', 'reward_id', 'payment_source_key'],
      set: { status: 'unpaid', created_at: occurredAt },
    },
    Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
  },
})

describe('the gate', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await forget(db)
    await provenSubscriptions(db, 10)
  })

  /** Advance must be refused by exactly these checks, each with a next step, and leave all as it was. */
  async function refuses(
    names: readonly GateName[],
    {
      definition = Subscription,
      says,
      ...options
    }: CutoverOptions & { definition?: AggregateDefinition; says?: RegExp } = {},
  ) {
    const before = await kept()
    const result = await advance(db.database, definition, options)
    const closed = result.gate.filter(({ ok }) => !ok)
    expect(closed.map(({ name }) => name)).toEqual([...names, 'way_back'])
    expect(result).toMatchObject({ ok: false, attempts: 0, lockedMs: null })
    for (const check of closed) expect(check.next, check.name).toMatch(/^(eventward |wait |grant |Rename )/)
    if (says !== undefined) expect(closed[0]?.detail).toMatch(says)
    expect(await kept()).toEqual(before)
    const { rows } = await db.admin.query(
      `select outcome ->> 'result' as result from eventward.runs where id = $1`,
      [result.run],
    )
    expect(rows).toEqual([{ result: 'refused' }])
    return closed
  }

  const kept = async () => (await db.admin.query('select * from eventward.captures')).rows

  it('is open where everything holds, and says so line by line', async () => {
    const { gate } = await cutoverStatus(db.database, Subscription)
    expect(gate.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['way_back'])
    expect(gate).toHaveLength(10)
  })

  it('refuses where capture is off', async () => {
    await db.admin.query(
      `select eventward.remove_triggers('Subscription'); update eventward.captures set state = 'off', epoch = epoch + 1`,
    )
    const closed = await refuses(['capture', 'definition', 'backfill', 'fingerprint'], {
      says: /capture is off/,
    })
    expect(closed[0]?.next).toBe('eventward capture on subscriptions')
  })

  it('refuses where a trigger of ours was disabled', async () => {
    await db.admin.query('alter table public.subscriptions disable trigger "~eventward_before"')
    await refuses(['capture', 'fingerprint'], { says: /~eventward_before/ })
  })

  it('refuses where a trigger of someone else comes after ours', async () => {
    await db.admin.query(`
      create or replace function public.touch() returns trigger language plpgsql as $$ begin return new; end $$;
      create trigger "~~late" before update on public.subscriptions for each row execute function public.touch()`)
    await refuses(['capture', 'fingerprint'], { says: /~~late/ })
  })

  it('refuses where the configuration means something else than the triggers', async () => {
    await refuses(['definition', 'verify'], { definition: Changed, says: /another definition/ })
  })

  it('refuses where another definition was installed', async () => {
    await db.admin.query(`update eventward.aggregates set hash = 'another'`)
    await refuses(['definition'], { says: /another definition is installed/ })
  })

  it('refuses without a backfill', async () => {
    await db.admin.query(`delete from eventward.runs where command = 'backfill'`)
    await refuses(['backfill'], { says: /no backfill yet/ })
  })

  it('refuses where the last backfill did not end', async () => {
    await db.admin.query(`update eventward.runs set state = 'stopped' where command = 'backfill'`)
    await refuses(['backfill'], { says: /not complete/ })
  })

  it('refuses a backfill that ran beside no capture, or beside an earlier one', async () => {
    await db.admin.query(
      `update eventward.runs set params = params || '{"capture":null}' where command = 'backfill'`,
    )
    await refuses(['backfill'], { says: /first look/ })
    await db.admin.query('update eventward.captures set epoch = epoch + 2')
    await db.admin.query(
      `update eventward.runs set params = params || '{"capture":"1"}' where command = 'backfill'`,
    )
    await refuses(['backfill'], { says: /earlier capture/ })
  })

  it('refuses what was never verified', async () => {
    await db.admin.query(`
      delete from eventward.runs where command = 'verify';
      update eventward.captures set verified_run = null, verified_fingerprint = null, verified_at = null,
        verified_snapshot = null, verified_horizon = null, verified_hash = null`)
    await refuses(['verify', 'fresh', 'fingerprint'], { says: /never verified/ })
  })

  it('never forgets a failed verify for an earlier clean one', async () => {
    await db.admin.query(`
      alter table public.subscriptions disable trigger "~eventward_before";
      update public.subscriptions set user_id = -1 where id = 3;
      alter table public.subscriptions enable always trigger "~eventward_before"`)
    expect((await verify(db.database, Subscription)).table.differences).toBe('1')
    // The row is put right by hand, and looked at again: the table as a whole was not proven since.
    await db.admin.query(`
      alter table public.subscriptions disable trigger "~eventward_before";
      update public.subscriptions set user_id = 3 where id = 3;
      alter table public.subscriptions enable always trigger "~eventward_before"`)
    await verify(db.database, Subscription, { open: true })
    await refuses(['verify', 'fresh', 'fingerprint'], { says: /the last full verify found 1/ })
  })

  it('refuses a proof that is older than the backfill', async () => {
    await db.admin.query(
      `update eventward.runs set finished_at = clock_timestamp() where command = 'backfill'`,
    )
    await refuses(['verify'], { says: /older than the backfill/ })
  })

  it('refuses a proof that is stale', async () => {
    await db.admin.query(`update eventward.captures set verified_at = verified_at - interval '26 hours'`)
    const [stale] = await refuses(['fresh'], { says: /last clean 26 h ago, limit 60 min/ })
    expect(stale?.next).toBe('eventward verify subscriptions')
    expect((await advance(db.database, Subscription, { freshnessSeconds: 100_000 })).ok).toBe(true)
  })

  it('refuses while a difference is open', async () => {
    await db.admin.query(`
      insert into eventward.mismatches (table_schema, table_name, aggregate_type, key, kind, first_run, last_run)
      values ('public', 'subscriptions', 'Subscription', '3', 'row_differs', 1, 1)`)
    const [open] = await refuses(['differences'], { says: /1 open difference/ })
    expect(open?.next).toBe('eventward verify subscriptions --open')
  })

  it('refuses while a write is known that could not be stored', async () => {
    await db.admin.query(`
      insert into eventward.incomplete (aggregate_type, aggregate_id, reason)
      values ('Subscription', '3', 'a NUL character')`)
    await refuses(['incomplete'], { says: /a NUL character/ })
  })

  it('refuses while a transaction is older than capture, names it and the way to end it, and ends no one', async () => {
    const old = await db.client()
    await old.query(`set application_name = 'reporting'; begin isolation level repeatable read; select 1`)
    const { rows } = await old.query<{ pid: string }>('select pg_backend_pid() as pid')
    await db.admin.query('update eventward.captures set since = clock_timestamp()')
    const [older] = await refuses(['transactions'], {
      says: new RegExp(`older than capture: pid ${rows[0]?.pid} \\(reporting, `),
    })
    expect(older?.next).toContain(`select pg_terminate_backend(${rows[0]?.pid});`)
    await old.query('commit')
    expect((await advance(db.database, Subscription)).ok).toBe(true)
  })

  it('closes by a change that left no event, which no look at the events could find (A10)', async () => {
    // The delta: what was written since the last verify, taken from events.
    const unseen = `
      alter table public.subscriptions disable trigger "~eventward_before";
      update public.subscriptions set user_id = -1 where id = 3;
      alter table public.subscriptions enable always trigger "~eventward_before"`
    const events = async () => (await db.admin.query('select count(*) as n from public.events')).rows
    const before = await events()
    await db.admin.query(unseen)
    expect(await events(), 'no event tells').toEqual(before)
    await refuses(['fingerprint'])
    expect(await phaseOf(db)).toBe('dual_write')
    const { table } = await verify(db.database, Subscription)
    expect(table.differences).toBe('1')
  })
})
