import { beforeAll, describe, expect, it } from 'vitest'
import { type CatalogTable, readTable, readTables, unsupportedReasons } from '../../src/catalog/index.js'
import { testDatabase } from '../support/database.js'

describe('readTables', () => {
  const db = testDatabase({ migrated: false })
  const read = (name: string, schema = 'public') =>
    db.database.session((session) => readTable(session, schema, name))
  const column = async (name: string) => (await read('types'))?.columns.find((each) => each.name === name)

  beforeAll(async () => {
    await db.admin.query(FIXTURE)
    await db.admin.query(`do $$ begin execute (
      select format('create table wide (id int primary key, %s)', string_agg('c' || g || ' text', ', '))
      from generate_series(1, 1200) g); end $$`)
  })

  it('gives null for a table that is not there', async () => {
    expect(await read('nowhere')).toBeNull()
  })

  it('lists tables but neither views nor what an extension owns; names find views too', async () => {
    const names = (await db.database.session((session) => readTables(session, ['public']))).map((t) => t.name)
    expect(names).toContain('types')
    expect(names).not.toContain('a_view')
    expect(names).toEqual([...names].sort())
    expect((await read('a_view'))?.kind).toBe('view')
  })

  it('qualifies the types of users and follows domains down to what they are made of', async () => {
    expect(await column('d')).toMatchObject({
      type: 'public.short_name',
      domain: true,
      castType: '"pg_catalog"."varchar"',
      baseTypeName: 'varchar',
    })
    expect(await column('m')).toMatchObject({
      type: 'public.mood',
      baseTypeKind: 'e',
      enumLabels: ['b"ad', "it's", 'a\\b', 'good'],
    })
    expect(await column('c')).toMatchObject({ type: 'character(5)', castType: '"pg_catalog"."bpchar"' })
    expect(await column('n')).toMatchObject({ type: 'numeric(10,2)', baseTypeName: 'numeric' })
    expect(await column('dd')).toMatchObject({ castType: '"public"."_short_name"', baseTypeCategory: 'A' })
    expect(await column('p')).toMatchObject({ baseTypeKind: 'c' })
    expect(await column('ci')).toMatchObject({ deterministic: false })
  })

  it('tells generated and identity columns, defaults, and leaves dropped ones out', async () => {
    expect(await column('g')).toMatchObject({ generated: true, default: null })
    expect(await column('id')).toMatchObject({ identity: true, generated: false, nullable: false })
    expect(await column('m')).toMatchObject({ default: `'good'::public.mood` })
    expect(await column('dropped')).toBeUndefined()
    const attnums = (await read('types'))?.columns.map(({ attnum }) => attnum) ?? []
    expect(attnums).toEqual([...attnums].sort((a, b) => a - b))
  })

  it.each([
    ['types', ['id'], false],
    ['two_unique', ['b'], false],
    ['composite', ['b', 'a'], true],
    ['included', ['b', 'a'], false],
    ['parted', ['a', 'b'], true],
    ['deferred_and_not', ['b'], false],
    ['descending_and_not', ['b', 'a'], false],
    ['downwards', ['a', 'b'], false],
  ])('takes for the key of %s %j', async (name, columns, primary) => {
    const { key } = (await read(name)) ?? {}
    expect(key?.columns.map((each) => each.name)).toEqual(columns)
    expect(key).toMatchObject({ primary, deferrable: false })
  })

  it.each([
    'nullable_unique',
    'partial_unique',
    'collated',
    'expression_unique',
    'no_index',
    'invalid_unique',
  ])('finds no key on %s', async (name) => {
    expect((await read(name))?.key).toBeNull()
  })

  it('a deferrable key is named and refused', async () => {
    const table = await read('deferred_key')
    expect(table?.key).toMatchObject({ index: 'deferred_key_pkey', deferrable: true })
    expect(unsupportedReasons(table as CatalogTable)).toMatchObject([{ code: 'EW_KEY_DEFERRABLE' }])
  })

  it('a key whose index goes both up and down is named and refused where it is the only one', async () => {
    const table = await read('descending')
    expect(table?.key).toMatchObject({ index: 'descending_a', walkable: false })
    expect(table && unsupportedReasons(table).map(({ code }) => code)).toEqual(['EW_KEY_ORDER'])
  })

  it('an unlogged partition is named: its parent looks permanent', async () => {
    const table = await read('half_logged')
    expect(table).toMatchObject({ persistence: 'permanent', unloggedLeaf: 'public.half_2' })
    expect(table && unsupportedReasons(table)).toMatchObject([
      { code: 'EW_TABLE_UNLOGGED', message: expect.stringContaining('public.half_2') },
    ])
    expect(await read('parted')).toMatchObject({ unloggedLeaf: null })
  })

  it('an index of another operator class gives its own operators', async () => {
    const [b, a] = (await read('included'))?.key?.columns ?? []
    expect(b).toMatchObject({
      less: 'operator(pg_catalog.~<~)',
      greater: 'operator(pg_catalog.~>~)',
      builtIn: false,
    })
    expect(a).toMatchObject({
      less: 'operator(pg_catalog.<)',
      equal: 'operator(pg_catalog.=)',
      builtIn: true,
      asBase: false,
    })
    const [citext] = (await read('citext_key'))?.key?.columns ?? []
    expect(citext).toMatchObject({ less: 'operator("public".<)', builtIn: false })
  })

  it('tells partitions, trees of INHERITS, unlogged and ruled tables apart', async () => {
    expect(await read('parted')).toMatchObject({ kind: 'partitioned', rowEstimate: '20' })
    expect(await read('parted_1')).toMatchObject({ kind: 'partition', rowEstimate: '10' })
    expect(await read('parted_2')).toMatchObject({ kind: 'partition' })
    expect(await read('parent')).toMatchObject({ kind: 'plain', hasInheritanceChildren: true })
    expect(await read('child')).toMatchObject({ kind: 'inherits' })
    expect(await read('parted')).toMatchObject({ hasInheritanceChildren: false })
    expect(await read('unlogged_table')).toMatchObject({ persistence: 'unlogged' })
    expect(await read('ruled')).toMatchObject({ hasRules: true })
    expect(await read('types')).toMatchObject({ hasRules: false, rowEstimate: null })
  })

  it('names stand as they are, whatever they hold', async () => {
    const table = await read(`ta'b\nle`, 'we"ird\\')
    expect(table?.columns.map(({ name }) => name)).toEqual(['co"l', 'b\\n', '$1', '__proto__'])
    expect(table?.key?.columns[0]?.name).toBe('co"l')
  })

  it('1,200 columns are read in order', async () => {
    const table = await read('wide')
    expect(table?.columns).toHaveLength(1201)
    expect(table?.columns[1200]?.name).toBe('c1200')
  })

  it('1,000 tables take three statements', async () => {
    await db.admin.query(`create schema many; do $$ begin for n in 1..1000 loop
      execute format('create table many.t%s (id int primary key, a text, b timestamptz)', n); end loop; end $$`)
    const statements = await db.database.session(async (session) => {
      let count = 0
      const counting: typeof session = {
        ...session,
        rows: (query) => {
          count += 1
          return session.rows(query)
        },
      }
      const tables = await readTables(counting, ['many'])
      expect(tables).toHaveLength(1000)
      expect(tables.every(({ key, columns }) => key?.primary === true && columns.length === 3)).toBe(true)
      return count
    })
    expect(statements).toBe(3)
  })

  it('a NOT NULL that is not yet valid makes no key (PostgreSQL 18)', async () => {
    const { rows } = await db.admin.query(
      `select current_setting('server_version_num')::int >= 180000 as new`,
    )
    if (rows[0]?.new !== 't') return
    await db.admin.query(`create table not_valid (a int); alter table not_valid add constraint c not null a not valid;
      create unique index on not_valid (a); create table computed (id int primary key, v int generated always as (id + 1) virtual)`)
    expect((await read('not_valid'))?.key).toBeNull()
    expect((await read('not_valid'))?.columns[0]?.nullable).toBe(true)
    expect((await read('computed'))?.columns[1]?.generated).toBe(true)
  })
})

const FIXTURE = `
create extension citext;
create type mood as enum ('b"ad', 'it''s', 'good');
alter type mood add value 'a\\b' before 'good';
create domain five as varchar(5);
create domain short_name as five;
create type pair as (a int, b text);
create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table types (
  dropped int, id bigint generated always as identity, n numeric(10,2), c char(5), d short_name, dd short_name[],
  m mood default 'good', p pair, ci text collate ci, g int generated always as (1) stored, unique (id));
alter table types drop column dropped;
create view a_view as select * from types;
create table two_unique (a int not null, c int not null, b int not null, unique (a, c), constraint z unique (b));
create table composite (a int, b int, c int not null unique, primary key (b, a));
create table included (a int not null, b text not null);
create unique index on included (b text_pattern_ops, a) include (a);
create table collated (name text collate ci not null, code text not null);
create unique index on collated (name collate "C");
create unique index on collated (code, name collate "C");
create table descending (a int not null, b int not null);
create unique index descending_a on descending (a desc, b);
create table downwards (a int not null, b int not null);
create unique index on downwards (a desc, b desc);
create table descending_and_not (a int not null, b int not null);
create unique index on descending_and_not (a nulls first);
create unique index on descending_and_not (b, a);
create table half_logged (a int primary key) partition by range (a);
create table half_1 partition of half_logged for values from (0) to (10);
create unlogged table half_2 partition of half_logged for values from (10) to (20);
create table citext_key (a citext primary key);
create table nullable_unique (a int unique);
create table partial_unique (a int not null);
create unique index on partial_unique (a) where a > 0;
create table expression_unique (a text not null);
create unique index on expression_unique (lower(a));
create table no_index (a int not null);
create table invalid_unique (a int not null);
create unique index invalid_a on invalid_unique (a);
update pg_index set indisvalid = false where indexrelid = 'invalid_a'::regclass;
create table deferred_key (a int primary key deferrable);
create table deferred_and_not (a int primary key deferrable, b int not null unique);
create unlogged table unlogged_table (a int primary key);
create table parted (a int, b int, primary key (a, b)) partition by range (a);
create table parted_1 partition of parted for values from (0) to (10);
create table parted_2 partition of parted for values from (10) to (20) partition by list (b);
create table parted_2_1 partition of parted_2 default;
insert into parted select g, 1 from generate_series(0, 19) g;
analyze parted_1, parted_2_1;
create table parent (a int primary key);
create table child (primary key (a)) inherits (parent);
create table ruled (a int primary key);
create rule no_delete as on delete to ruled do instead nothing;
create schema "we""ird\\";
create table "we""ird\\"."ta'b
le" ("co""l" int primary key, "b\\n" text, "$1" text, "__proto__" text);
`
