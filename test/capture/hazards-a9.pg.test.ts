/** A3, A9: keys that two rows share for a while, and changes that no row trigger sees. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { COUNTERS, capturedCounters, counters } from './counters.js'
import { installNaive, naiveStream, naiveWrong } from './naive/index.js'

describe('what row triggers see', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row')
  })
  beforeEach(async () => {
    await db.admin.query('truncate naive.events')
  })

  const naive = (table: string) =>
    `create trigger "~capture" before insert or update or delete on public.${table}
     for each row execute function naive.capture_row();`

  describe('a deferrable key (A3)', () => {
    const DEFERRABLE =
      '(id bigint not null unique deferrable initially deferred, a integer, b integer, note text)'
    const REUSE = (table: string) => `
      insert into public.${table} values (5, 1, 1, 'old');
      begin;
      insert into public.${table} values (5, 2, 2, 'new');
      delete from public.${table} where id = 5 and note = 'old';
      commit;`

    it('the naive form breaks: the stream of a row that lives ends in its removal', async () => {
      await db.admin.query(
        `create table public.deferred ${DEFERRABLE}; ${naive('deferred')} ${REUSE('deferred')}`,
      )
      expect((await naiveStream(db.admin, '5')).map((event) => event.split(' ')[1])).toEqual([
        'Created',
        'Created',
        'Deleted',
      ])
      expect(await naiveWrong(db.admin, 'deferred')).toEqual(['5'])
    })

    it('is refused before anything is installed', async () => {
      const table = counters(db, 'deferred_ours')
      await db.admin.query(`create table public.deferred_ours ${DEFERRABLE}`)
      await expect(installCapture(db.database, table.definition)).rejects.toMatchObject({
        code: expect.stringMatching(/^EW_/),
        message: expect.stringContaining('deferrable'),
      })
    })
  })

  describe('session_replication_role = replica, and disabled triggers (A9)', () => {
    const REPLICA = (statement: string) =>
      `begin; set local session_replication_role = replica; ${statement}; commit`

    it('the naive form breaks: an ordinary trigger is passed over', async () => {
      await db.admin.query(`create table public.replica ${COUNTERS}; ${naive('replica')}`)
      await db.admin.query(REPLICA('insert into public.replica values (1, 0, 0, null)'))
      expect(await naiveWrong(db.admin, 'replica')).toEqual(['1'])
    })

    it('ENABLE ALWAYS: replication’s writes are captured, of every kind', async () => {
      const table = await capturedCounters(db, 'replica_ours')
      for (const statement of [
        'insert into public.replica_ours values (1, 0, 0, null), (2, 0, 0, null)',
        'update public.replica_ours set a = 1 where id = 1',
        'update public.replica_ours set id = 3 where id = 1',
        'delete from public.replica_ours where id = 2',
      ]) {
        await db.admin.query(REPLICA(statement))
        await table.expectProven()
      }
      await db.admin.query(REPLICA('truncate public.replica_ours'))
      expect((await table.stream('3')).at(-1)).toBe('Deleted {}')
      await table.expectProven()
    })

    it('capture’s problems name triggers that were disabled, and those that came back as ordinary ones', async () => {
      const table = await capturedCounters(db, 'disabled')
      const proven = await fingerprint('disabled')
      const names = [
        '!eventward_after_insert',
        '!eventward_after_update',
        '~eventward_before',
        '~eventward_truncate',
      ]
      await db.admin.query('alter table public.disabled disable trigger user')
      expect((await table.problems()).toSorted()).toEqual(
        names.map((name) => `trigger_not_always ${name} on public.disabled`),
      )
      await db.admin.query('insert into public.disabled values (1, 0, 0, null)')
      await db.admin.query('alter table public.disabled enable trigger user')
      expect((await table.problems()).toSorted()).toEqual(
        names.map((name) => `trigger_not_always ${name} on public.disabled`),
      )
      for (const name of names)
        await db.admin.query(`alter table public.disabled enable always trigger "${name}"`)
      expect(await table.problems()).toEqual([])
      // All looks as before, but a write went unseen: the proof does not stand.
      expect(await fingerprint('disabled')).not.toBe(proven)
      expect((await verify(db.database, table.definition)).differences).toMatchObject([
        { kind: 'missing_stream' },
      ])
    })

    it('capture’s problems name a trigger that was dropped, renamed or made another’s', async () => {
      const table = await capturedCounters(db, 'dropped')
      await db.admin.query('alter trigger "~eventward_before" on public.dropped rename to a_first')
      expect(await table.problems()).toContain('trigger_missing ~eventward_before on public.dropped')
      await db.admin.query('alter trigger a_first on public.dropped rename to "~eventward_before"')
      expect(await table.problems()).toEqual([])
      await db.admin.query('drop trigger "!eventward_after_insert" on public.dropped')
      expect(await table.problems()).toEqual(['trigger_missing !eventward_after_insert on public.dropped'])
      await db.admin.query(`
        create trigger "!eventward_after_insert" after insert on public.dropped
        for each row execute function naive.capture_row('dual_write', 'capture');
        alter table public.dropped enable always trigger "!eventward_after_insert"`)
      expect(await table.problems()).toEqual(['trigger_foreign !eventward_after_insert on public.dropped'])
    })
  })

  describe('a row whose removal went unseen', () => {
    it('ends in one stream when its key is used again', async () => {
      const table = await capturedCounters(db, 'unseen')
      await db.admin.query('insert into public.unseen values (1, 1, 1, null), (2, 2, 2, null)')
      await db.admin.query(`
        alter table public.unseen disable trigger user;
        delete from public.unseen;
        insert into public.unseen values (3, 3, 3, null);
        alter table public.unseen enable trigger user`)
      await db.admin.query('insert into public.unseen values (1, 5, 5, null)')
      await db.admin.query('update public.unseen set a = 4 where id = 3')
      expect(await table.stream('1')).toEqual([
        'Created {"a": 1, "b": 1}',
        'Deleted {}',
        'Created {"a": 5, "b": 5}',
      ])
      expect(await table.stream('3')).toEqual(['Created {"a": 3, "b": 3}', 'Changed {"a": 4}'])
      expect((await verify(db.database, table.definition)).differences).toMatchObject([
        { kind: 'missing_row', key: '2' },
      ])
    })
  })

  describe('partitions and children (A9)', () => {
    const PARTITIONED = (table: string) => `
      (id bigint, a integer, b integer, note text, primary key (id)) partition by range (id);
      create table public.${table}_low partition of public.${table} for values from (0) to (100);
      create table public.${table}_high partition of public.${table} for values from (100) to (200) partition by range (id);
      create table public.${table}_top partition of public.${table}_high for values from (100) to (150)`

    it('the naive form breaks: a TRUNCATE of one partition passes the parent’s trigger', async () => {
      await db.admin.query(`
        create table public.leaves ${PARTITIONED('leaves')};
        create function public.no_truncate() returns trigger language plpgsql as $$ begin raise 'seen'; end $$;
        create trigger "~truncate" before truncate on public.leaves
        for each statement execute function public.no_truncate();
        insert into public.leaves values (1, 1, 1, null)`)
      await db.admin.query('truncate public.leaves_low')
      await expect(db.admin.query('truncate public.leaves')).rejects.toThrow('seen')
    })

    it('writes and truncations of a leaf are captured, as of any table above it', async () => {
      const table = await capturedCounters(db, 'leaves_ours', { columns: PARTITIONED('leaves_ours') })
      await db.admin.query(`
        insert into public.leaves_ours_low values (1, 1, 1, null), (2, 2, 2, null);
        insert into public.leaves_ours_top values (101, 1, 1, null);
        insert into public.leaves_ours_high values (102, 1, 1, null);
        update public.leaves_ours_top set a = 5 where id = 101;
        update public.leaves_ours_high set a = 6 where id = 102;
        delete from public.leaves_ours_low where id = 1`)
      await table.expectProven()
      await db.admin.query('truncate public.leaves_ours_low')
      expect((await table.stream('2')).at(-1)).toBe('Deleted {}')
      await table.expectProven()
      await db.admin.query('truncate public.leaves_ours_high')
      expect((await table.stream('101')).at(-1)).toBe('Deleted {}')
      await table.expectProven()
    })

    it('a partition that came later has row triggers, and capture’s problems name what it has not', async () => {
      const table = await capturedCounters(db, 'grown', { columns: PARTITIONED('grown') })
      const proven = await fingerprint('grown')
      await db.admin.query(
        'create table public.grown_top2 partition of public.grown_high for values from (150) to (200)',
      )
      expect(await fingerprint('grown')).not.toBe(proven)
      expect(await table.problems()).toContain('trigger_missing ~eventward_truncate on public.grown_top2')
      await db.admin.query('insert into public.grown_top2 values (160, 1, 1, null)')
      await db.admin.query(`begin; set local session_replication_role = replica;
        insert into public.grown_top2 values (161, 1, 1, null); commit`)
      await table.expectProven()
    })

    it('rows that come or go with a partition close the gate by the fingerprint, and verify finds them', async () => {
      const table = await capturedCounters(db, 'attached', { columns: PARTITIONED('attached') })
      await db.admin.query('insert into public.attached values (1, 1, 1, null)')
      const proven = await fingerprint('attached')
      await db.admin.query('alter table public.attached detach partition public.attached_low')
      expect(await fingerprint('attached')).not.toBe(proven)
      expect((await verify(db.database, table.definition)).differences).toMatchObject([
        { kind: 'missing_row' },
      ])
      await db.admin.query(
        'alter table public.attached attach partition public.attached_low for values from (0) to (100)',
      )
      await table.expectProven()
    })

    it('an INHERITS child is named by capture’s problems', async () => {
      const table = await capturedCounters(db, 'parent')
      await db.admin.query('create table public.child () inherits (public.parent)')
      expect(await table.problems()).toEqual(['child public.child'])
    })
  })

  describe('changes without rows (A9)', () => {
    it.each([
      ['a rewrite', 'alter table public.%s alter column a type bigint using a + 1'],
      ['a rule', 'create rule aside as on insert to public.%s do also select 1'],
      [
        'a trigger',
        'create trigger z before insert on public.%s for each row execute function naive.capture_row()',
      ],
      ['a renamed column', 'alter table public.%s rename column a to c'],
      ['a column more', 'alter table public.%s add column c integer default 7'],
      ['a column less', 'alter table public.%s drop column note'],
      ['row level security', 'alter table public.%s enable row level security'],
      ['another schema', 'create schema elsewhere; alter table public.%s set schema elsewhere'],
      ['UNLOGGED', 'alter table public.%s set unlogged'],
    ])('the fingerprint sees %s', async (what, statement) => {
      const name = `seen_${what.replaceAll(/\W/g, '_').toLowerCase()}`
      await capturedCounters(db, name)
      const {
        rows: [{ oid } = { oid: '' }],
      } = await db.admin.query<{ oid: string }>(`select 'public.${name}'::regclass::oid as oid`)
      const before = await fingerprintOf(oid)
      expect(await fingerprintOf(oid)).toBe(before)
      await db.admin.query(statement.replaceAll('%s', name))
      expect(await fingerprintOf(oid)).not.toBe(before)
    })

    it('TRUNCATE outside READ COMMITTED is recorded, and closes the gate', async () => {
      const table = await capturedCounters(db, 'older')
      await db.admin.query('insert into public.older values (1, 1, 1, null)')
      await db.admin.query('begin isolation level repeatable read; truncate public.older; commit')
      expect(await table.stream('1')).toEqual(['Created {"a": 1, "b": 1}', 'Deleted {}'])
      const { rows } = await db.admin.query(
        'select reason from eventward.incomplete where aggregate_type = $1',
        [table.type],
      )
      expect(rows).toMatchObject([{ reason: expect.stringContaining('TRUNCATE') }])
    })
  })

  const fingerprint = async (name: string) => {
    const { rows } = await db.admin.query<{ oid: string }>(`select 'public.${name}'::regclass::oid as oid`)
    return fingerprintOf(rows[0]?.oid ?? '')
  }
  const fingerprintOf = async (oid: string) => {
    const { rows } = await db.admin.query<{ f: string }>('select eventward.fingerprint($1::oid) as f', [oid])
    return rows[0]?.f
  }
})
