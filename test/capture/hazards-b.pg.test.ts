/** B7, B9, B10: statement triggers, rights and names, partitions of events. */
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ident } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { COUNTERS, capturedCounters } from './counters.js'
import { installNaive, naiveWrong } from './naive/index.js'
import { outcome } from './outcome.js'

describe('a captured write', () => {
  const db = testDatabase()
  let app: pg.Client
  let role: string

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row', 'capture-statement', 'capture-unqualified')
    role = ident(`app_${db.name}`)
    await db.admin.query(`create role ${role}; grant create, usage on schema public to ${role}`)
    app = await db.client()
  })
  beforeEach(async () => {
    await db.admin.query('truncate naive.events')
    await app.query('discard temp; reset role; reset search_path')
  })
  afterAll(async () => {
    await db.admin.query(`drop owned by ${role}; drop role ${role}`)
  })

  describe('straight to a partition (B7)', () => {
    const PARTITIONED = (table: string) => `
      (id bigint primary key, a integer, b integer, note text) partition by range (id);
      create table public.${table}_1 partition of public.${table} for values from (0) to (100);
      insert into public.${table} values (1, 0, 0, null);`

    it('the naive form breaks: the parent’s statement trigger never hears of it', async () => {
      await db.admin.query(`
        create table public.statements ${PARTITIONED('statements')}
        create trigger "~capture" after update on public.statements referencing new table as new_rows
        for each statement execute function naive.capture_statement();
        update public.statements set a = 1`)
      expect(await naiveWrong(db.admin, 'statements')).toEqual([])
      await db.admin.query('update public.statements_1 set a = 2')
      expect(await naiveWrong(db.admin, 'statements')).toEqual(['1'])
    })

    it('is captured', async () => {
      const table = await capturedCounters(db, 'straight', { columns: PARTITIONED('straight') })
      await db.admin.query('update public.straight_1 set a = 2')
      expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Changed {"a": 2}'])
    })
  })

  describe('of a role that knows nothing of us (B9)', () => {
    it('the naive form breaks: SECURITY INVOKER refuses the application’s write', async () => {
      await db.admin.query(`
        create table public.invoked ${COUNTERS};
        grant all on public.invoked to ${role};
        create trigger "~capture" after insert on public.invoked for each row execute function naive.capture_invoker();
        grant usage on schema naive to ${role}`)
      await app.query(`set role ${role}`)
      expect(await outcome(app.query('insert into public.invoked values (1, 0, 0, null)'))).toBe('42501')
    })

    it('is captured, on the compiled and the cold path, without a right on anything of ours', async () => {
      const table = await capturedCounters(db, 'unprivileged')
      await db.admin.query(`grant all on public.unprivileged to ${role}`)
      await app.query(`set role ${role}`)
      const writes = async (id: number) => {
        for (const sql of [
          `insert into public.unprivileged (id, a, b) values (${id}, 0, 0)`,
          `update public.unprivileged set a = 1 where id = ${id}`,
          `update public.unprivileged set a = 2, note = 'n' where id = ${id}`,
          `update public.unprivileged set id = id + 50 where id = ${id}`,
          `delete from public.unprivileged where id = ${id} + 50`,
          `insert into public.unprivileged (id, a, b) values (${id}, 0, 0)`,
        ]) {
          expect(await outcome(app.query(sql))).toBe('done')
        }
      }
      await writes(1)
      await db.admin.query('alter table public.unprivileged add column c integer')
      await writes(2)
      await db.admin.query('alter table public.unprivileged drop column c')
      await table.expectProven()
      expect(await outcome(app.query('truncate public.unprivileged'))).toBe('done')
      await table.expectProven()
    })

    it.each([
      ['select eventward.capture_append_%s(null, null, null, null, null)', '42501'],
      [
        'create trigger t before update on public.mine for each row execute function eventward.capture_before_%s()',
        '42501',
      ],
      [
        'create trigger t after insert on public.mine for each row execute function eventward.capture_after_%s()',
        '42501',
      ],
      [
        'create trigger t before truncate on public.mine execute function eventward.capture_truncate_%s()',
        '42501',
      ],
      [`select eventward.install_triggers('x', 'complete')`, '42501'],
    ])('may not use our rights for itself: %s', async (sql, expected) => {
      await db.admin.query('drop table if exists public.guarded, public.mine')
      await db.admin.query(`delete from eventward.captures where table_name = 'guarded'`)
      const table = await capturedCounters(db, 'guarded')
      const { rows } = await db.admin.query<{ slug: string }>(
        'select slug from eventward.captures where aggregate_type = $1',
        [table.type],
      )
      await app.query(`set role ${role}; create table public.mine ${COUNTERS}`)
      expect(await outcome(app.query(sql.replace('%s', rows[0]?.slug ?? '')))).toBe(expected)
    })
  })

  describe('beside names that are ours (B9)', () => {
    it('the naive form breaks: a temporary table swallows its event, and public’s function runs with the owner’s rights', async () => {
      await db.admin.query(`
        create table public.shadowed ${COUNTERS};
        grant all on public.shadowed to ${role};
        create trigger "~capture" after insert on public.shadowed
        for each row execute function naive.capture_unqualified()`)
      await app.query(`set role ${role}`)
      await app.query(`
        create temporary table events (aggregate_type text, aggregate_id text, version int, type text, data jsonb, occurred_at timestamptz);
        create temporary table ran_as (who text);
        grant all on events, ran_as to public;
        create function public.to_jsonb(public.shadowed) returns jsonb language plpgsql as $$
        begin
          insert into pg_temp.ran_as values (current_user);
          return '{}';
        end $$;
        insert into public.shadowed values (1, 0, 0, null)`)
      expect((await app.query('select type, data::text from pg_temp.events')).rows).toEqual([
        { type: 'Created', data: '{}' },
      ])
      const { rows } = await app.query<{ who: string }>('select who from pg_temp.ran_as')
      expect(rows[0]?.who).not.toBe(`app_${db.name}`)
      expect(
        (await db.admin.query(`select * from public.events where aggregate_type = 'Naive'`)).rows,
      ).toEqual([])
    })

    it('is stored where it belongs, and calls none of them', async () => {
      const table = await capturedCounters(db, 'unshadowed')
      await db.admin.query(`grant all on public.unshadowed to ${role}`)
      await app.query(`set role ${role}`)
      await app.query(`
        create temporary table events (like public.unshadowed);
        create temporary table ran_as (who text);
        grant all on ran_as to public;
        create function pg_temp.trap() returns text language plpgsql as $$ begin raise exception 'trapped'; end $$;
        create function public.to_jsonb(public.unshadowed) returns jsonb language plpgsql as $$ begin raise exception 'trapped'; end $$;
        create function public.format(text, bigint) returns text language plpgsql as $$ begin raise exception 'trapped'; end $$;
        create function public.differs(integer, integer) returns boolean language plpgsql as $$ begin raise exception 'trapped'; end $$;
        create operator public.<> (leftarg = integer, rightarg = integer, function = public.differs);
        create operator public.= (leftarg = integer, rightarg = integer, function = public.differs);
        create domain public.jsonb as integer;
        set search_path = pg_temp, public, pg_catalog;
        insert into public.unshadowed values (1, 0, 0, null);
        update public.unshadowed set a = 1, note = 'n'`)
      await db.admin.query('alter table public.unshadowed add column c integer')
      await app.query('update public.unshadowed set c = 1, b = 2')
      expect(await table.stream('1')).toEqual([
        'Created {"a": 0, "b": 0}',
        'Noted {"note": "n"}',
        'Changed {"a": 1}',
        'Changed {"b": 2, "$residue": {"c": 1}}',
      ])
      await db.admin.query(`drop operator public.= (integer, integer); drop operator public.<> (integer, integer);
        drop function public.differs, public.format(text, bigint); drop domain public.jsonb`)
    })

    it('is the same under any settings of the application', async () => {
      const table = await capturedCounters(db, 'settings')
      await app.query(`
        set standard_conforming_strings = off; set quote_all_identifiers = on; set timezone = 'Asia/Kathmandu';
        set datestyle = 'SQL, DMY'; set bytea_output = 'escape'; set transform_null_equals = on; set row_security = off;
        set default_transaction_isolation = 'serializable'; set jit = off; set constraint_exclusion = off;
        set plan_cache_mode = force_generic_plan; set enable_indexscan = off;
        insert into public.settings values (1, 0, 0, 'it''s "\\\\"');
        update public.settings set note = 'n' where id = 1; update public.settings set id = 2, a = null`)
      await app.query('discard all')
      await table.expectProven()
    })
  })

  describe('whose partition of events is no more attached (B10)', () => {
    it('the naive form breaks: through the parent, the application’s write fails', async () => {
      await db.admin.query(`
        create table public.homeless ${COUNTERS};
        create trigger "~capture" after insert on public.homeless for each row execute function naive.capture_invoker()`)
      expect(await outcome(db.admin.query('insert into public.homeless values (1, 0, 0, null)'))).toBe(
        '23514',
      )
    })

    it('is stored in it all the same, and capture’s problems say so', async () => {
      const table = await capturedCounters(db, 'detached')
      const { rows } = await db.admin.query<{ partition: string }>(
        'select partition::regclass::text as partition from eventward.captures where aggregate_type = $1',
        [table.type],
      )
      const partition = rows[0]?.partition ?? ''
      await db.admin.query(`alter table public.events detach partition ${partition}`)
      expect(await table.problems()).toEqual([`partition_detached public.${partition}`])
      expect(await outcome(db.admin.query('insert into public.detached values (1, 0, 0, null)'))).toBe('done')
      await db.admin.query(
        `alter table public.events attach partition ${partition} for values in ('${table.type}')`,
      )
      await table.expectProven()
    })
  })
})
