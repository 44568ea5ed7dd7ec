/** A1: legacy triggers that write to the table itself, while its writes are captured. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { COUNTERS, type Counters, capturedCounters } from './counters.js'
import { installNaive, naiveWrong } from './naive/index.js'

/** Each update of one of the rows 1 and 2 counts up the other's b. */
const SIBLING = (table: string) => `
  create function public.count_sibling_${table}() returns trigger language plpgsql as $$
  begin
    update public.${table} set b = b + 1 where id = 3 - new.id;
    return null;
  end $$;
  create trigger legacy after update on public.${table}
  for each row when (pg_trigger_depth() = 0) execute function public.count_sibling_${table}();
`
const TWO_ROWS = (table: string) => `insert into public.${table} (id, a, b) values (1, 0, 0), (2, 0, 0);`

describe('an AFTER trigger beside a legacy trigger that writes to the same table (A1)', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await installNaive(db.admin, 'capture-row', 'capture-statement')
  })
  beforeEach(async () => {
    await db.admin.query('truncate naive.events')
  })

  it.each([
    [
      'after_last',
      `create trigger "~capture" after update on public.%s for each row execute function naive.capture_row()`,
      ['2'],
    ],
    [
      'after_first',
      `create trigger "!capture" after update on public.%s for each row execute function naive.capture_row()`,
      ['2'],
    ],
    [
      'after_statement',
      `create trigger "~capture" after update on public.%s referencing new table as new_rows
       for each statement execute function naive.capture_statement()`,
      ['1', '2'],
    ],
  ])('the naive form breaks: %s ends streams in rows that are no more', async (table, trigger, wrong) => {
    await db.admin.query(`create table public.${table} ${COUNTERS}; ${TWO_ROWS(table)}`)
    await db.admin.query(`select naive.append(id::text, 'Created', to_jsonb(t)) from public.${table} t`)
    await db.admin.query(SIBLING(table))
    await db.admin.query(trigger.replace('%s', table))
    await db.admin.query(`update public.${table} set a = 1`)
    const { rows } = await db.admin.query(`select id, a, b from public.${table} order by id`)
    expect(rows).toEqual([
      { id: '1', a: '1', b: '1' },
      { id: '2', a: '1', b: '1' },
    ])
    expect(await naiveWrong(db.admin, table)).toEqual(wrong)
  })

  describe('what is captured in the last BEFORE trigger', () => {
    let table: Counters
    beforeAll(async () => {
      table = await capturedCounters(db, 'nested', { before: SIBLING('nested') })
      await db.admin.query(TWO_ROWS('nested'))
    })

    it('stands in the order in which rows were written: the outer change before the inner one', async () => {
      await db.admin.query('update public.nested set a = 1')
      expect(await table.stream('1')).toEqual([
        'Created {"a": 0, "b": 0}',
        'Changed {"a": 1}',
        'Changed {"b": 1}',
      ])
      expect(await table.stream('2')).toEqual([
        'Created {"a": 0, "b": 0}',
        'Changed {"a": 1}',
        'Changed {"b": 1}',
      ])
      await table.expectProven()
    })
  })

  it('a row that a nested statement changed, removed or made again before its own AFTER trigger ran has one creation', async () => {
    const table = await capturedCounters(db, 'in_between', {
      before: `
        create function public.meddle() returns trigger language plpgsql as $$
        begin
          -- All of these rows were inserted by the statement whose first row's trigger this is.
          update public.in_between set note = 'changed' where id = 2;
          delete from public.in_between where id in (3, 4, 5);
          insert into public.in_between values (4, 40, 40, 'again');
          update public.in_between set id = 60 where id = 6;
          return null;
        end $$;
        create trigger legacy after insert on public.in_between
        for each row when (new.id = 1) execute function public.meddle();`,
    })
    await db.admin.query('insert into public.in_between select i, i, i, null from generate_series(1, 6) i')
    expect(await table.stream('1')).toEqual(['Created {"a": 1, "b": 1}'])
    expect(await table.stream('2')).toEqual(['Created {"a": 2, "b": 2}', 'Noted {"note": "changed"}'])
    expect(await table.stream('3')).toEqual(['Created {"a": 3, "b": 3}', 'Deleted {}'])
    expect(await table.stream('4')).toEqual([
      'Created {"a": 4, "b": 4}',
      'Deleted {}',
      'Created {"a": 40, "b": 40}',
      'Changed {"note": "again"}',
    ])
    expect(await table.stream('6')).toEqual(['Created {"a": 6, "b": 6}', 'Deleted {}'])
    expect(await table.stream('60')).toEqual(['Created {"a": 6, "b": 6}'])
    await table.expectProven()
  })

  it('a legacy BEFORE trigger that writes to its own row’s siblings keeps the order as well', async () => {
    const table = await capturedCounters(db, 'before_sibling', {
      before: `
        create function public.before_sibling() returns trigger language plpgsql as $$
        begin
          if pg_trigger_depth() = 1 then
            update public.before_sibling set b = coalesce(b, 0) + 1 where id <> new.id;
          end if;
          new.note = 'touched';
          return new;
        end $$;
        create trigger legacy before update on public.before_sibling for each row execute function public.before_sibling();`,
    })
    await db.admin.query(`insert into public.before_sibling values (1, 0, 0, null), (2, 0, 0, null)`)
    await db.admin.query('update public.before_sibling set a = 1 where id = 1')
    await table.expectProven()
  })

  it('what a foreign key cascades is captured, unlike in its statement’s own table', async () => {
    const table = await capturedCounters(db, 'owned', {
      before: `
        create table public.owner (a integer primary key);
        insert into public.owner values (1), (2);
        alter table public.owned add foreign key (b) references public.owner on update cascade on delete set null;`,
    })
    await db.admin.query('insert into public.owned values (1, 0, 1, null), (2, 0, 1, null), (3, 0, 2, null)')
    await db.admin.query('update public.owner set a = 7 where a = 1')
    await db.admin.query('delete from public.owner where a = 2')
    expect(await table.stream('1')).toEqual(['Created {"a": 0, "b": 1}', 'Changed {"b": 7}'])
    expect(await table.stream('3')).toEqual(['Created {"a": 0, "b": 2}', 'Changed {"b": null}'])
    await table.expectProven()
  })
})
