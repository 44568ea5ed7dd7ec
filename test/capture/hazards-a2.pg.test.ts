/** A2: what capture in a BEFORE trigger must mind, in one session. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { capturedCounters } from './counters.js'
import { installNaive, naiveStream, naiveWrong } from './naive/index.js'

describe('capture in BEFORE triggers (A2)', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row')
  })
  beforeEach(async () => {
    await db.admin.query('truncate naive.events')
  })

  const naive = (table: string, when: string) =>
    `create trigger "~capture" ${when} on public.${table} for each row execute function naive.capture_row();`

  describe('a later BEFORE trigger', () => {
    const LATER = (table: string, body: string) => `
      create function public.later_${table}() returns trigger language plpgsql as $$ begin ${body} end $$;
      create trigger "~~later" before update on public.${table} for each row execute function public.later_${table}();`

    it('the naive form breaks: it records what is not stored, and nobody says so', async () => {
      await db.admin.query(`
        create table public.late (id bigint primary key, a integer);
        insert into public.late values (1, 0), (2, 0);
        ${naive('late', 'before update')} ${LATER('late', 'if new.id = 1 then return null; end if; new.a = 9; return new;')}
        update public.late set a = 1`)
      expect(await naiveWrong(db.admin, 'late')).toEqual(['1', '2'])
    })

    it('is named by capture’s problems as long as it is there, and what it changed is found by verify', async () => {
      const table = await capturedCounters(db, 'late_ours')
      expect(await table.problems()).toEqual([])
      await db.admin.query(LATER('late_ours', 'new.a = 9; return new;'))
      expect(await table.problems()).toEqual(['later_trigger ~~later on public.late_ours'])
      await db.admin.query('insert into public.late_ours values (1, 0, 0, null)')
      await db.admin.query('update public.late_ours set a = 1')
      const { differences } = await verify(db.database, table.definition)
      expect(differences).toMatchObject([{ kind: 'row_differs', columns: [{ column: 'a' }] }])
      await db.admin.query('drop trigger "~~later" on public.late_ours')
      expect(await table.problems()).toEqual([])
    })

    it('is no problem where it is one of INSERT, or AFTER, or for statements, or sorts before ours', async () => {
      const table = await capturedCounters(db, 'early')
      await db.admin.query(`
        create function public.early() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger "~~insert" before insert on public.early for each row execute function public.early();
        create trigger "~~after" after update on public.early for each row execute function public.early();
        create trigger "~~statement" before update on public.early for each statement execute function public.early();
        create trigger "z_legacy" before update on public.early for each row execute function public.early();`)
      expect(await table.problems()).toEqual([])
    })
  })

  describe('generated columns', () => {
    const COLUMNS =
      '(id bigint primary key, a integer, b integer, note text, double integer generated always as (a * 2) stored)'

    it('the naive form breaks: they are not computed yet', async () => {
      await db.admin.query(
        `create table public.generated ${COLUMNS}; ${naive('generated', 'before insert or update')}`,
      )
      await db.admin.query(
        'insert into public.generated values (1, 4, 0, null); update public.generated set a = 5',
      )
      expect((await naiveStream(db.admin, '1')).at(-1)).toContain('"double": null')
      expect(await naiveWrong(db.admin, 'generated')).toEqual(['1'])
    })

    it('are left out of events, by the compiled and by the cold path', async () => {
      const table = await capturedCounters(db, 'generated_ours', { columns: COLUMNS })
      await db.admin.query('insert into public.generated_ours values (1, 4, 0, null)')
      await db.admin.query('update public.generated_ours set a = 5')
      await db.admin.query(
        'alter table public.generated_ours add column later integer; alter table public.generated_ours drop column later',
      )
      await db.admin.query('update public.generated_ours set a = 6')
      await db.admin.query('insert into public.generated_ours values (2, 5, 0, null)')
      expect(await table.stream('1')).toEqual([
        'Created {"a": 4, "b": 0}',
        'Changed {"a": 5}',
        'Changed {"a": 6}',
      ])
      expect(await table.stream('2')).toEqual(['Created {"a": 5, "b": 0}'])
      await table.expectProven()
    })
  })

  describe('an insert that inserts nothing', () => {
    const INSERTS = (table: string) => `
      insert into public.${table} values (1, 0, 0, null);
      insert into public.${table} values (1, 5, 0, null), (2, 0, 0, null) on conflict do nothing;`

    it('the naive form breaks: BEFORE INSERT records rows that ON CONFLICT DO NOTHING leaves out', async () => {
      await db.admin.query(
        `create table public.phantom (id bigint primary key, a integer, b integer, note text);
         ${naive('phantom', 'before insert')} ${INSERTS('phantom')}`,
      )
      expect(await naiveStream(db.admin, '1')).toHaveLength(2)
      expect(await naiveWrong(db.admin, 'phantom')).toEqual(['1'])
    })

    it('leaves no event', async () => {
      const table = await capturedCounters(db, 'phantom_ours')
      await db.admin.query(INSERTS('phantom_ours'))
      await db.admin.query(`
        insert into public.phantom_ours values (1, 7, 0, null), (3, 0, 0, null)
        on conflict (id) do update set a = excluded.a where public.phantom_ours.a <> excluded.a`)
      expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 0}', 'Changed {"a": 7}'])
      expect(await table.stream('3')).toEqual(['Created {"a": 0, "b": 0}'])
      await table.expectProven()
    })
  })

  describe('a row that moves to another partition', () => {
    const PARTITIONED = (table: string) => `
      (id bigint, a integer, b integer, note text, primary key (id)) partition by range (id);
      create table public.${table}_low partition of public.${table} for values from (0) to (100);
      create table public.${table}_high (note text, id bigint not null, b integer, gone integer, a integer);
      alter table public.${table}_high drop column gone;
      alter table public.${table} attach partition public.${table}_high for values from (100) to (200)`

    it('the naive form breaks: one update is recorded as three writes, the removal after the change', async () => {
      await db.admin.query(`
        create table public.moving (id bigint, a integer, b integer, primary key (id, a)) partition by list (a);
        create table public.moving_1 partition of public.moving for values in (1);
        create table public.moving_2 partition of public.moving for values in (2);
        insert into public.moving values (1, 1, 0);
        ${naive('moving', 'before update or delete')}
        update public.moving set a = 2`)
      expect(await naiveStream(db.admin, '1')).toHaveLength(2)
      expect((await naiveStream(db.admin, '1')).at(-1)).toContain('Deleted')
      expect(await naiveWrong(db.admin, 'moving')).toEqual(['1'])
    })

    it('ends as it should on both streams, whatever the order of the partition’s columns', async () => {
      const table = await capturedCounters(db, 'moving_ours', { columns: PARTITIONED('moving_ours') })
      await db.admin.query(`insert into public.moving_ours values (1, 0, 0, 'n'), (2, 0, 0, null)`)
      await db.admin.query('update public.moving_ours set id = id + 100, a = 7 where id = 1')
      await db.admin.query('update public.moving_ours set b = 3')
      expect((await table.stream('1')).at(-1)).toBe('Deleted {}')
      expect(await table.stream('101')).toEqual([
        'Created {"a": 7, "b": 0}',
        'Changed {"note": "n"}',
        'Changed {"b": 3}',
      ])
      await table.expectProven()
    })
  })

  it('a key that changes along a foreign key’s cascade leaves both streams right', async () => {
    const table = await capturedCounters(db, 'cascaded', {
      before: `create table public.roots (id bigint primary key); insert into public.roots values (1), (2);
        alter table public.cascaded add foreign key (id) references public.roots on update cascade on delete cascade;`,
    })
    await db.admin.query('insert into public.cascaded values (1, 1, 1, null), (2, 2, 2, null)')
    await db.admin.query('update public.roots set id = id + 10; delete from public.roots where id = 12')
    expect(await table.stream('1')).toEqual(['Created {"a": 1, "b": 1}', 'Deleted {}'])
    expect(await table.stream('11')).toEqual(['Created {"a": 1, "b": 1}'])
    expect(await table.stream('12')).toEqual(['Created {"a": 2, "b": 2}', 'Deleted {}'])
    await table.expectProven()
  })

  it('keys that are exchanged within one statement end as what they are', async () => {
    const table = await capturedCounters(db, 'exchanged')
    await db.admin.query('insert into public.exchanged select i, i, i, null from generate_series(1, 5) i')
    await db.admin.query('update public.exchanged set id = -id')
    await db.admin.query('update public.exchanged set id = 6 + id')
    await table.expectProven()
    const { rows } = await db.admin.query(
      `select aggregate_id as id, metadata ->> 'movedTo' as moved_to, metadata ->> 'movedFrom' as moved_from
       from events where aggregate_type = $1 and aggregate_id in ('1', '-1') and metadata ?| array['movedTo', 'movedFrom']
       order by position`,
      [table.type],
    )
    expect(rows).toEqual([
      { id: '1', moved_to: '-1', moved_from: null },
      { id: '-1', moved_to: null, moved_from: '1' },
      { id: '-1', moved_to: '5', moved_from: null },
      { id: '1', moved_to: null, moved_from: '-5' },
    ])
  })
})
