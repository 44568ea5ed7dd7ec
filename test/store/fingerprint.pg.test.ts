/** The fingerprint of a table: whatever could let a write pass unseen changes it, and nothing else does (A9). */
import { beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { readFingerprint } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { counters } from '../capture/counters.js'
import { testDatabase } from '../support/database.js'

describe('the fingerprint of a captured table', () => {
  const db = testDatabase()
  let n = 0

  /** A captured table: `kept` partitioned, `plain` not. */
  async function captured(kind: 'plain' | 'kept') {
    n += 1
    const name = `${kind}_${n}`
    const made = counters(db, name)
    await db.admin.query(
      kind === 'plain'
        ? `create table public.${name} (id bigint primary key, a integer, b integer, note text)`
        : `create table public.${name} (id bigint primary key, a integer, b integer, note text) partition by range (id);
           create table public.${name}_low partition of public.${name} for values from (0) to (100);
           create table public.${name}_high partition of public.${name} for values from (100) to (200)`,
    )
    await db.admin.query(`insert into public.${name} values (1, 1, 1, 'x')`)
    await captureOn(db.database, made.definition)
    const read = () =>
      db.database.session((session) => readFingerprint(session, { schema: 'public', table: name }))
    const first = await read()
    return { ...made, read, first, run: (text: string) => db.admin.query(text.replaceAll('%s', name)) }
  }

  beforeAll(async () => {
    await db.admin.query(
      `create function public.nothing() returns trigger language plpgsql as $$ begin return new; end $$`,
    )
  })

  it('sees a renamed label of an enum, however deep in a column’s type: the texts of rows are others', async () => {
    await db.admin.query(`
      create type public.kind as enum ('x', 'y');
      create domain public.kinds as public.kind[];
      create type public.box as (of public.kinds);
      create table public.boxed (id bigint primary key, a integer, b integer, note text, held public.box)`)
    const { definition } = counters(db, 'boxed')
    await captureOn(db.database, definition)
    const read = () =>
      db.database.session((session) => readFingerprint(session, { schema: 'public', table: 'boxed' }))
    const first = await read()
    await db.admin.query(`alter type public.kind rename value 'x' to 'z'`)
    expect(await read()).not.toBe(first)
    await db.admin.query(`alter type public.kind rename value 'z' to 'x'`)
    expect(await read()).toBe(first)
  })

  it.each([
    ['plain', 'a retype', 'alter table public.%s alter column a type bigint using a + 1'],
    [
      'plain',
      'a rewrite that keeps the type',
      'alter table public.%s alter column a type integer using a + 1',
    ],
    ['plain', 'TRUNCATE', 'truncate public.%s'],
    ['kept', 'TRUNCATE of one partition', 'truncate public.%s_low'],
    ['kept', 'a partition that is detached', 'alter table public.%s detach partition public.%s_high'],
    [
      'kept',
      'a partition that is attached',
      `create table public.%s_more (like public.%s including all);
       alter table public.%s attach partition public.%s_more for values from (200) to (300)`,
    ],
    [
      'kept',
      'a partition that is detached and attached again',
      `alter table public.%s detach partition public.%s_high;
       alter table public.%s attach partition public.%s_high for values from (100) to (200)`,
    ],
    ['plain', 'triggers that are disabled', 'alter table public.%s disable trigger user'],
    ['plain', 'one trigger that is disabled', 'alter table public.%s disable trigger "~eventward_before"'],
    [
      'kept',
      'one that is disabled on a partition',
      'alter table public.%s_low disable trigger "!eventward_after_insert"',
    ],
    [
      'plain',
      'one that is disabled and enabled as it was',
      `alter table public.%s disable trigger "~eventward_before";
       alter table public.%s enable always trigger "~eventward_before"`,
    ],
    [
      'plain',
      'a legacy trigger',
      'create trigger mine before update on public.%s for each row execute function public.nothing()',
    ],
    ['plain', 'a child made with INHERITS', 'create table public.%s_child () inherits (public.%s)'],
    ['plain', 'a rule', 'create rule aside as on update to public.%s do also select 1'],
    ['plain', 'a column more', 'alter table public.%s add column c integer default 7'],
    ['plain', 'a column less', 'alter table public.%s drop column note'],
    ['plain', 'another name of a column', 'alter table public.%s rename column a to c'],
    ['plain', 'UNLOGGED', 'alter table public.%s set unlogged'],
    ['plain', 'row level security', 'alter table public.%s enable row level security'],
    [
      'plain',
      'another body of a capture function',
      `do $do$ declare f text; begin
         select pg_get_functiondef(t.tgfoid) into f from pg_trigger t
         where t.tgrelid = 'public.%s'::regclass and t.tgname = '~eventward_before';
         execute f;
       end $do$`,
    ],
    [
      'plain',
      'a partition of events that is detached',
      'alter table public.events detach partition public.events_counter_%s',
    ],
  ] as const)('of a %s one sees %s', async (kind, _, text) => {
    const { read, first, run } = await captured(kind)
    await run(text)
    expect(await read()).not.toBe(first)
  })

  it('is the same beside writes, VACUUM, ANALYZE, an index more, and a verify', async () => {
    const { read, first, run, definition } = await captured('kept')
    await run(`insert into public.%s values (2, 2, 2, 'y'), (150, 2, 2, 'y');
      update public.%s set a = 5; delete from public.%s where id = 2`)
    await run('vacuum public.%s_low')
    await run('analyze public.%s')
    await run('create index on public.%s (note)')
    await verify(db.database, definition)
    expect(await read()).toBe(first)
  })

  it('is null of a table that is not there', async () => {
    expect(
      await db.database.session((session) =>
        readFingerprint(session, { schema: 'public', table: 'nowhere' }),
      ),
    ).toBeNull()
  })
})
