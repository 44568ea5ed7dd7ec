/** Turning capture on and off: what it changes, what it refuses, and that it may be run any number of times. */
import { describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import {
  type CaptureStatus,
  captureAll,
  captureOff,
  captureOn,
  captureStatus,
} from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate } from '../../src/definition/index.js'
import { captureNames } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { COUNTERS, counters } from './counters.js'

const PARTITIONED = (table: string) => `
  (id bigint primary key, a integer, b integer, note text) partition by range (id);
  create table public.${table}_low partition of public.${table} for values from (0) to (100);
  create table public.${table}_high partition of public.${table} for values from (100) to (200)`

describe('capture', () => {
  const db = testDatabase()

  async function table(name: string, columns = COUNTERS) {
    const made = counters(db, name)
    await db.admin.query(
      `create table public.${name} ${columns};
       insert into public.${name} values (1, 1, 1, null), (101, 2, 2, 'x')`,
    )
    return made
  }

  const statusOf = (definition: AggregateDefinition): Promise<CaptureStatus> =>
    db.database.session((session) => captureStatus(session, definition))

  /** All that a captured table is, but for times. */
  async function kept(type: string) {
    const { slug } = captureNames(type)
    const { rows } = await db.admin.query(
      `select c.state, c.epoch, c.phase, c.definition_hash, c.row_shape, c.relid, c.partition, c.since,
         (
           select json_agg(json_build_array(t.tgrelid::regclass, t.tgname, t.tgenabled, t.oid) order by t.oid)
           from pg_trigger t
           join pg_proc p on p.oid = t.tgfoid
           where p.proname like 'capture%' || $2
         ) as triggers,
         (
           select json_agg(json_build_array(p.proname, p.xmin) order by p.proname)
           from pg_proc p
           where p.pronamespace = 'eventward'::regnamespace and p.proname like '%' || $2
         ) as functions
       from eventward.captures c
       where c.aggregate_type = $1`,
      [type, slug],
    )
    return rows[0]
  }

  const phaseSaid = async (type: string) => {
    const { rows } = await db.admin.query(`select eventward."${captureNames(type).phase}"() as phase`)
    return rows[0]?.phase
  }

  describe.each([
    ['a plain table', 'plain', COUNTERS],
    ['a partitioned table', 'parts', PARTITIONED('parts')],
  ])('of %s', (_, name, columns) => {
    it('is turned on, run again without a change, turned off, and on again under another epoch', async () => {
      const { definition, type, stream, expectProven } = await table(name, columns)
      const on = await captureOn(db.database, definition)
      expect(on).toMatchObject({
        table: name,
        capture: 'on',
        phase: 'dual_write',
        change: 'installed',
        epoch: '1',
        attempts: 1,
      })
      expect(on.lockedMs).toBeLessThan(2_000)
      expect(on.notices.join()).toContain('is a superuser')
      expect(await phaseSaid(type)).toBe('dual_write')
      expect(await statusOf(definition)).toMatchObject({ capture: 'on', epoch: '1', problems: [] })

      const before = await kept(type)
      expect(await captureOn(db.database, definition)).toMatchObject({
        change: 'none',
        epoch: '1',
        attempts: 0,
      })
      expect(await kept(type)).toEqual(before)

      await db.admin.query(
        `update public.${name} set a = 5 where id = 1; insert into public.${name} values (102, 3, 3)`,
      )
      expect(await stream('1')).toEqual(['Created {"a": 1, "b": 1}', 'Changed {"a": 5}'])
      expect(await backfill(db.database, definition)).toMatchObject({
        streams: '1',
        alreadyThere: '2',
        capture: 'on',
      })
      await expectProven()

      const off = await captureOff(db.database, definition)
      expect(off).toMatchObject({
        capture: 'off',
        phase: 'legacy',
        change: 'removed',
        epoch: '2',
        attempts: 1,
      })
      expect(await kept(type)).toMatchObject({ state: 'off', triggers: null })
      expect(await phaseSaid(type)).toBe('legacy')
      expect(await captureOff(db.database, definition)).toMatchObject({
        change: 'none',
        epoch: '2',
        attempts: 0,
      })
      await db.admin.query(`update public.${name} set a = 6 where id = 1`)
      expect(await stream('1')).toHaveLength(2)

      expect(await captureOn(db.database, definition)).toMatchObject({ change: 'installed', epoch: '3' })
      expect(await statusOf(definition)).toMatchObject({ capture: 'on', problems: [] })
    })

    it('whose triggers were tampered with is broken, until it is turned on again under another epoch', async () => {
      const own = `${name}_tampered`
      const { definition, type } = await table(own, columns.replaceAll(name, own))
      await captureOn(db.database, definition)
      for (const [statement, problem] of [
        [`alter table public.${own} disable trigger user`, 'trigger_not_always'],
        [`alter table public.${own} enable trigger user`, 'trigger_not_always'],
        [`drop trigger "!eventward_after_insert" on public.${own}`, 'trigger_missing'],
      ] as const) {
        const before = await captureOn(db.database, definition)
        await db.admin.query(statement)
        const status = await statusOf(definition)
        expect(status.capture).toBe('broken')
        expect(status.problems[0]).toMatchObject({ code: problem, next: `eventward capture on ${own}` })
        const mended = await captureOn(db.database, definition)
        expect(mended.change, 'writes may have passed unseen').toBe('installed')
        expect(mended.epoch).toBe(String(Number(before.epoch) + 1))
        expect(await statusOf(definition)).toMatchObject({ capture: 'on', problems: [] })
      }
      expect((await kept(type))?.state).toBe('on')
    })
  })

  describe('turned on again', () => {
    const better = (definition: AggregateDefinition) =>
      ({
        ...defineAggregate({
          name: definition.name,
          table: definition.table as never,
          events: {
            Created: { creates: true, data: ['a', 'b'] },
            Noted: { data: ['note'] },
            Moved: { data: ['a', 'b'] },
          },
        } as never),
      }) as unknown as AggregateDefinition

    it('under another definition replaces the functions in place: no trigger was off, so the epoch stays', async () => {
      const { definition, type, stream } = await table('redefined')
      await captureOn(db.database, definition)
      const before = await kept(type)
      await db.admin.query('update public.redefined set a = 5 where id = 1')
      await expect(backfill(db.database, better(definition))).rejects.toMatchObject({
        code: 'EW_CAPTURE_DEFINITION',
        exitStatus: 1,
      })
      const again = await captureOn(db.database, better(definition))
      expect(again).toMatchObject({ change: 'replaced', epoch: '1', since: before?.since })
      const after = await kept(type)
      // The very triggers that were there: replaced by none.
      expect(after?.triggers).toBe(before?.triggers)
      expect(after?.definition_hash).not.toBe(before?.definition_hash)
      await db.admin.query('update public.redefined set a = 6 where id = 1')
      expect((await stream('1')).slice(-2)).toEqual(['Changed {"a": 5}', 'Moved {"a": 6, "b": 1}'])
      expect(await backfill(db.database, better(definition))).toMatchObject({ capture: 'on', complete: true })
    })

    it('while a writer is open waits for it, and every write of it is in its stream', async () => {
      const { definition, stream } = await table('busy')
      await captureOn(db.database, definition)
      const writer = await db.client()
      await writer.query('begin; update public.busy set a = 5 where id = 1')
      const again = captureOn(db.database, better(definition), { lockTimeoutMs: 100, tries: 100 })
      await writer.query('update public.busy set a = 6 where id = 1; commit')
      expect((await again).change).toBe('replaced')
      expect(await stream('1')).toEqual(['Created {"a": 1, "b": 1}', 'Changed {"a": 5}', 'Changed {"a": 6}'])
      await backfill(db.database, better(definition))
      expect((await verify(db.database, better(definition))).table).toMatchObject({ clean: true })
    })

    it('after a column was added compiles for it: the slow path is left', async () => {
      const { definition, stream } = await table('grown')
      await captureOn(db.database, definition)
      await db.admin.query('alter table public.grown add column c integer')
      expect((await statusOf(definition)).problems).toMatchObject([
        { code: 'columns', broken: false, next: expect.stringContaining('grown') },
      ])
      expect((await statusOf(definition)).capture).toBe('on')
      expect(await captureOn(db.database, definition)).toMatchObject({ change: 'replaced', epoch: '1' })
      expect((await statusOf(definition)).problems).toEqual([])
      await db.admin.query('update public.grown set c = 7 where id = 1')
      expect((await stream('1')).at(-1)).toBe('Changed {"$residue": {"c": 7}}')
    })
  })

  it('after a partition with rows was attached is of another epoch: a backfill has to write their events', async () => {
    const { definition, expectProven } = await table('attached', PARTITIONED('attached'))
    await captureOn(db.database, definition)
    await backfill(db.database, definition)
    await db.admin.query(`
      create table public.attached_more (like public.attached including all);
      insert into public.attached_more values (201, 1, 1, null), (202, 1, 1, null);
      alter table public.attached attach partition public.attached_more for values from (200) to (300)`)
    expect(await statusOf(definition)).toMatchObject({ capture: 'broken' })
    await db.admin.query('update public.attached set a = 9 where id in (101, 201)')
    expect(await captureOn(db.database, definition)).toMatchObject({ change: 'installed', epoch: '2' })
    expect(await statusOf(definition)).toMatchObject({ capture: 'on', problems: [] })
    expect(await backfill(db.database, definition)).toMatchObject({ rows: '4', streams: '1', complete: true })
    await expectProven()
    await db.admin.query('truncate public.attached_more')
    await expectProven()
  })

  describe('create or replace trigger (B11)', () => {
    it('the naive form breaks: replaced, it is an ordinary trigger, which replication passes over', async () => {
      await db.admin.query(`
        create table public.naive_always (id bigint primary key);
        create function public.noted() returns trigger language plpgsql as $$ begin raise 'seen'; end $$;
        create trigger t before insert on public.naive_always for each row execute function public.noted();
        alter table public.naive_always enable always trigger t`)
      const replica = (statement: string) =>
        db.admin.query(`begin; set local session_replication_role = replica; ${statement}; rollback`)
      await expect(replica('insert into public.naive_always values (1)')).rejects.toThrow('seen')
      await db.admin.query('rollback')
      await db.admin.query(
        'create or replace trigger t before insert on public.naive_always for each row execute function public.noted()',
      )
      await replica('insert into public.naive_always values (1)')
    })

    it('every trigger is ENABLE ALWAYS after it was turned on, on and again, and after a flip there and back', async () => {
      const { definition, type } = await table('always', PARTITIONED('always'))
      const states = async () => {
        const { rows } = await db.admin.query<{ tgenabled: string }>(
          `select t.tgenabled from pg_trigger t join pg_proc p on p.oid = t.tgfoid where p.proname like 'capture%' || $1`,
          [captureNames(type).slug],
        )
        return rows.map(({ tgenabled }) => tgenabled)
      }
      await captureOn(db.database, definition)
      const first = await states()
      // Three row triggers on the table and on each leaf, and TRUNCATE's on each leaf.
      expect(first).toEqual(Array(11).fill('A'))
      await db.admin.query(`drop trigger "!eventward_after_insert" on public.always`)
      await captureOn(db.database, definition)
      expect(await states()).toEqual(first)
      for (const phase of ['event_first', 'dual_write']) {
        await db.admin.query('select eventward.flip($1, $2)', [type, phase])
        expect(await states()).toEqual(first)
      }
    })
  })

  describe('the partition of events (B10)', () => {
    it('the naive form breaks: a missing one fails the application’s write', async () => {
      const { definition, type } = await table('unparted')
      await captureOn(db.database, definition)
      await db.admin.query(`begin; drop table public.events_counter_unparted`)
      await expect(
        db.admin.query(
          `insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
           values ('${type}', '1', 1, 'Created', '{}', now())`,
        ),
      ).rejects.toMatchObject({ code: '23514' })
      await db.admin.query('rollback')
    })

    it('the naive form breaks: "partition of" waits for the writers of every other table', async () => {
      const writer = await db.client()
      await writer.query(`begin; lock table public.events in row exclusive mode`)
      await db.admin.query(`set lock_timeout = '200ms'`)
      await expect(
        db.admin.query(`create table public.naive_part partition of public.events for values in ('Naive')`),
      ).rejects.toMatchObject({ code: '55P03' })
      await db.admin.query('reset lock_timeout')
      await writer.query('rollback')
    })

    it('is made and attached beside writers of other tables, before a trigger is there', async () => {
      const { definition } = await table('parted')
      const writer = await db.client()
      await writer.query(`begin; lock table public.events in row exclusive mode`)
      expect(await captureOn(db.database, definition)).toMatchObject({ change: 'installed' })
      await writer.query('rollback')
    })

    it('that was detached by hand is a problem, the application writes on, and another epoch mends it', async () => {
      const { definition } = await table('detached')
      await captureOn(db.database, definition)
      await db.admin.query('alter table public.events detach partition public.events_counter_detached')
      await db.admin.query('update public.detached set a = 7 where id = 1')
      expect((await statusOf(definition)).problems[0]).toMatchObject({
        code: 'partition_detached',
        broken: true,
      })
      await db.admin.query('alter table public.events_counter_detached rename to kept_aside')
      expect(await captureOn(db.database, definition)).toMatchObject({ change: 'installed', epoch: '2' })
      expect((await statusOf(definition)).problems).toEqual([])
    })
  })

  describe('is refused, and nothing is changed,', () => {
    it.each([
      [
        'behind a BEFORE trigger that would fire after ours',
        'zz_late',
        `create function public.zz() returns trigger language plpgsql as $$ begin return new; end $$;
         create trigger "~~late" before update on public.zz_late for each row execute function public.zz()`,
        'EW_CAPTURE_ORDER',
      ],
      [
        'where a rule rewrites what is written',
        'zz_ruled',
        'create rule aside as on insert to public.zz_ruled do also select 1',
        'EW_CAPTURE_RULE',
      ],
      [
        'under FORCE ROW LEVEL SECURITY',
        'zz_forced',
        'alter table public.zz_forced enable row level security; alter table public.zz_forced force row level security',
        'EW_CAPTURE_ROW_SECURITY',
      ],
      [
        'where another table inherits from it',
        'zz_parent',
        'create table public.zz_child () inherits (public.zz_parent)',
        'EW_TABLE_INHERITS',
      ],
    ])('%s', async (_, name, ddl, code) => {
      const { definition, type } = await table(name)
      await db.admin.query(ddl)
      const refused = await captureOn(db.database, definition).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code, exitStatus: 2, next: expect.stringMatching(/./) })
      expect(await kept(type)).toBeUndefined()
      await expect(captureAll(db.database, [definition, definition], 'on')).rejects.toMatchObject({ code })
    })

    it('in the name of an aggregate while it is captured in the name of another', async () => {
      const { definition } = await table('zz_named')
      await captureOn(db.database, definition)
      const other = { ...definition, name: 'Another' }
      await expect(captureOn(db.database, other)).rejects.toMatchObject({ code: 'EW_CAPTURE_OTHER' })
    })

    it('where the captured table was renamed away and another bears its name', async () => {
      const { definition } = await table('zz_moved')
      await captureOn(db.database, definition)
      await db.admin.query(`
        alter table public.zz_moved rename to zz_moved_old;
        create table public.zz_moved ${COUNTERS}`)
      expect((await statusOf(definition)).capture).toBe('broken')
      await expect(captureOn(db.database, definition)).rejects.toMatchObject({ code: 'EW_CAPTURE_OTHER' })
      expect(await captureOff(db.database, definition)).toMatchObject({ change: 'removed' })
      const { rows } = await db.admin.query(
        `select count(*) as n from pg_trigger where tgrelid = 'public.zz_moved_old'::regclass and not tgisinternal`,
      )
      expect(rows).toEqual([{ n: '0' }])
      expect(await captureOn(db.database, definition)).toMatchObject({ change: 'installed' })
    })

    it('off, while its events are its truth', async () => {
      const { definition, type } = await table('zz_first')
      await captureOn(db.database, definition)
      await db.admin.query('select eventward.flip($1, $2)', [type, 'event_first'])
      await expect(captureOff(db.database, definition)).rejects.toMatchObject({
        code: 'EW_PHASE',
        next: expect.stringContaining('cutover zz_first rollback'),
      })
      // Turned on again, it keeps its phase.
      await db.admin.query('drop trigger "~eventward_truncate" on public.zz_first')
      expect(await captureOn(db.database, definition)).toMatchObject({
        change: 'installed',
        phase: 'event_first',
      })
      expect(await phaseSaid(type)).toBe('event_first')
      await db.admin.query('select eventward.flip($1, $2)', [type, 'dual_write'])
      expect(await captureOff(db.database, definition)).toMatchObject({ change: 'removed' })
    })
  })

  it('of a dropped table can be turned off', async () => {
    const { definition, type } = await table('gone')
    await captureOn(db.database, definition)
    await db.admin.query('drop table public.gone')
    expect(await captureOff(db.database, definition)).toMatchObject({ change: 'removed', attempts: 0 })
    expect(await phaseSaid(type)).toBe('legacy')
  })

  it('turned on by two at once is on once', async () => {
    const { definition, type } = await table('twice')
    const both = await Promise.all([1, 2].map(() => captureOn(db.database, definition, { tries: 50 })))
    expect(both.map(({ epoch }) => epoch)).toEqual(['1', '1'])
    expect(await kept(type)).toMatchObject({ state: 'on', epoch: '1' })
    expect((await statusOf(definition)).problems).toEqual([])
  })

  describe('metadata in a session setting (C6)', () => {
    it('the naive form breaks: SET leaks to whoever has the pooled connection next', async () => {
      const pooled = await db.client()
      await pooled.query(`begin; set eventward.metadata = '{"actor": "ann"}'; commit`)
      const { rows } = await pooled.query(`select current_setting('eventward.metadata', true) as said`)
      expect(rows).toEqual([{ said: '{"actor": "ann"}' }])
      await pooled.query('reset eventward.metadata')
    })

    it('SET LOCAL ends with its transaction, and its empty rest is no metadata and no error', async () => {
      const { definition, type } = await table('said')
      await captureOn(db.database, definition)
      const pooled = await db.client()
      await pooled.query(`
        begin; set local eventward.metadata = '{"actor": "ann", "source": "forged"}';
        update public.said set a = 7 where id = 1; commit`)
      const { rows: rest } = await pooled.query(`select current_setting('eventward.metadata', true) as said`)
      expect(rest, 'not NULL').toEqual([{ said: '' }])
      await pooled.query('update public.said set a = 8 where id = 1')
      await pooled.query(`
        begin; set local eventward.metadata = 'no json'; update public.said set a = 9 where id = 1; commit`)
      const { rows } = await db.admin.query(
        `select metadata ->> 'actor' as actor, metadata ->> 'source' as source, metadata ->> 'unreadable' as unreadable
         from public.events where aggregate_type = $1 and type = 'Changed' order by version`,
        [type],
      )
      expect(rows).toEqual([
        { actor: 'ann', source: 'trigger', unreadable: null },
        { actor: null, source: 'trigger', unreadable: null },
        { actor: null, source: 'trigger', unreadable: 'no json' },
      ])
    })
  })
})
