import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate, bindAggregates } from '../../src/bind/index.js'
import type {
  AggregateDefinition,
  Assignment,
  Constant,
  EventDefinition,
} from '../../src/definition/index.js'
import { UsageError } from '../../src/errors/index.js'
import { testDatabase } from '../support/database.js'

const event = (type: string, more: Partial<EventDefinition> = {}): EventDefinition => ({
  type,
  schemaVersion: 1,
  creates: false,
  data: [],
  facts: [],
  set: [],
  when: null,
  ...more,
})

const carried = (column: string) => ({ attribute: column, column })
const created = event('Created', { creates: true, data: [carried('user_id')] })
const constant = (column: string, value: Constant): Assignment => ({ kind: 'constant', column, value })
const bound = (column: string): Assignment => ({ kind: 'occurredAt', column })
const described = (name: string, key: readonly string[], columns: readonly string[] = []) => ({
  schema: 'public',
  name,
  key,
  columns: Object.fromEntries(columns.map((column) => [column, { type: 'x', nullable: true }])),
})

const definition = (
  events: readonly EventDefinition[],
  more: Partial<AggregateDefinition> = {},
): AggregateDefinition => ({
  name: 'Subscription',
  table: described('subscriptions', ['id'], ['id', 'user_id', 'status', 'n']),
  events,
  updatedAt: null,
  timeZone: 'UTC',
  directWrites: 'capture',
  residue: { changed: 'Changed', deleted: 'Deleted' },
  ...more,
})

describe('bindAggregate', () => {
  const db = testDatabase({ migrated: false })
  const bind = (subject: AggregateDefinition) =>
    db.database.session((session) => bindAggregate(session, subject))
  const refusal = async (subject: AggregateDefinition): Promise<UsageError> => {
    const error: unknown = await bind(subject).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).next).not.toBe('')
    return error as UsageError
  }
  const setting = (assignment: Assignment) => definition([created, event('Activated', { set: [assignment] })])
  const canonical = async (column: string, value: Constant) =>
    (await bind(setting(constant(column, value)))).model.events[1]?.constants[0]?.value

  beforeAll(async () => {
    await db.admin.query(FIXTURE)
  })

  describe('writes constants as their columns write them', () => {
    it.each([
      ['n', 1, '1.00'],
      ['n', '1e2', '100.00'],
      ['n', 'NaN', 'NaN'],
      ['c', 'ab', 'ab   '],
      ['flag', true, 't'],
      ['j', '{"b":1,"a":1.10}', '{"a": 1.10, "b": 1}'],
      ['big', 9007199254740993n, '9007199254740993'],
      ['at', '2020-01-01 12:00+02', '2020-01-01 10:00:00+00'],
      ['status', "it's", "it's"],
      ['na', '{1,2.5}', '{1.0,2.5}'],
      ['d', 'abc', 'abc'],
      ['iv', '24:00', '24:00:00'],
      ['f', '0.1', '0.1'],
      ['status', null, null],
    ] as const)('%s <- %s', async (column, value, text) => {
      expect(await canonical(column, value)).toBe(text)
    })
  })

  describe('refuses a constant that its column would change, and says what would be stored', () => {
    it.each([
      ['v', 'toolong', 'too'],
      ['v', 'ab  ', 'ab '],
      ['c', 'toolong', 'toolo'],
      ['n', '1.005', '1.01'],
      ['d', 'abcdef', 'abcde'],
      ['at', '2020-01-01 12:00:00.6', '2020-01-01 12:00:01+00'],
      ['bits', '10', '100'],
      ['na', '{1.25}', '{1.3}'],
      ['nm', 'x'.repeat(64), 'x'.repeat(63)],
    ] as const)('%s <- %s', async (column, value, stored) => {
      const error = await refusal(setting(constant(column, value)))
      expect(error.code).toBe('EW_CONSTANT')
      expect(error.message).toContain(column)
      expect(error.message).toContain(JSON.stringify(stored))
    })
  })

  it.each([
    ['user_id', 'abc'],
    ['user_id', 99_999_999_999],
    ['user_id', true],
    ['flag', 'true'],
    ['status', 'activ'],
    ['j', '{'],
    ['at', 'now'],
    ['at', 'yesterday at noon'],
    ['positive', -1],
    ['required', null],
  ] as const)('refuses %s <- %s, which is no value of it', async (column, value) => {
    const error = await refusal(setting(constant(column, value)))
    expect(error.code).toBe('EW_CONSTANT')
    expect(error.message).toContain(column)
  })

  it('names the one bad constant among many', async () => {
    const good = Array.from({ length: 50 }, (_, index) =>
      event(`E${index}`, { set: [constant('user_id', index)] }),
    )
    const bad = event('Bad', { set: [constant('at', '2020-13-01')] })
    const error = await refusal(definition([created, ...good, bad]))
    expect(error.message).toContain('Subscription.Bad')
    expect(error.message).toContain('2020-13-01')
  })

  it('many definitions read their tables in three statements, and bind as each alone', async () => {
    const two = { ...definition([created], { name: 'Two' }), table: described('two_keys', ['b']) }
    const subjects = [definition([created]), two]
    await db.database.session(async (session) => {
      const seen: string[] = []
      const counting: typeof session = {
        ...session,
        rows: (query) => {
          seen.push(query.text)
          return session.rows(query)
        },
      }
      const bound = await bindAggregates(counting, subjects)
      expect(seen).toHaveLength(3)
      for (const [index, subject] of subjects.entries()) {
        expect(bound[index]).toEqual(await bindAggregate(session, subject))
      }
    })
  })

  it('asks the server once, however many constants there are', async () => {
    const events = Array.from({ length: 40 }, (_, index) =>
      event(`E${index}`, { set: [constant('n', index)] }),
    )
    const statements = await db.database.session(async (session) => {
      const seen: string[] = []
      const counting: typeof session = {
        ...session,
        rows: (query) => {
          seen.push(query.text)
          return session.rows(query)
        },
      }
      await bindAggregate(counting, definition([created, ...events]))
      return seen
    })
    expect(statements).toHaveLength(4)
  })

  it('suggests what a misspelt column or table may have meant', async () => {
    const column = await refusal(setting(constant('statuss', 'active')))
    expect(column).toMatchObject({ code: 'EW_COLUMN_UNKNOWN' })
    expect(column.next).toContain('Did you mean "status"?')
    const table = await refusal(definition([created], { table: described('subscription', ['id']) }))
    expect(table).toMatchObject({ code: 'EW_TABLE_UNKNOWN' })
    expect(table.next).toContain('Did you mean "subscriptions"?')
  })

  it('a column that is in the file but no longer in the catalog is unknown', async () => {
    await db.admin.query('alter table subscriptions add column shortlived int')
    const subject = setting(constant('shortlived', 1))
    await bind(subject)
    await db.admin.query('alter table subscriptions drop column shortlived')
    expect(await refusal(subject)).toMatchObject({ code: 'EW_COLUMN_UNKNOWN' })
  })

  it.each([
    [
      'a generated column in data',
      [created, event('A', { data: [carried('twice')] })],
      'EW_COLUMN_GENERATED',
    ],
    [
      'a generated column in set',
      [created, event('A', { set: [constant('twice', 2)] })],
      'EW_COLUMN_GENERATED',
    ],
    [
      'a column in data and in set',
      [created, event('A', { data: [carried('user_id')], set: [constant('user_id', 1)] })],
      'EW_COLUMN_TWICE',
    ],
    ['a key in set', [created, event('A', { set: [constant('id', 1)] })], 'EW_COLUMN_KEY'],
    ['the name of residue', [created, event('Changed', { data: [carried('n')] })], 'EW_EVENT_RESERVED'],
    ['two events of one name', [created, event('A'), event('A')], 'EW_EVENT_TWICE'],
    ['no event that creates', [event('A')], 'EW_EVENT_CREATES'],
    ['a time read from a text', [created, event('A', { set: [bound('v')] })], 'EW_OCCURRED_AT'],
    ['a time read from a time of day', [created, event('A', { set: [bound('day_time')] })], 'EW_OCCURRED_AT'],
  ] as const)('refuses %s', async (_, events, code) => {
    expect(await refusal(definition(events))).toMatchObject({ code })
  })

  it('takes the names of residue where other ones were chosen for it', async () => {
    const residue = { changed: 'Edited', deleted: 'Removed' }
    const { model } = await bind(
      definition([created, event('Changed', { data: [carried('n')] })], { residue }),
    )
    expect(model.shapes.map(({ type }) => type)).toEqual(['Created', 'Changed', 'Edited', 'Removed'])
  })

  it('binds times of any precision, through domains, and of dates', async () => {
    const events = ['at', 'plain_at', 'on_day', 'domain_at'].map((column) =>
      event(column, { set: [bound(column)] }),
    )
    const { model } = await bind(definition([created, ...events]))
    const temporal = Object.fromEntries(model.columns.map((column) => [column.name, column.temporal]))
    expect(temporal).toMatchObject({
      at: 'timestamptz',
      plain_at: 'timestamp',
      on_day: 'date',
      domain_at: 'timestamptz',
      day_time: null,
    })
  })

  it('refuses a time zone that the server does not know, where one is needed', async () => {
    const needed = definition([created, event('A', { set: [bound('on_day')] })], { timeZone: 'Mars/Olympus' })
    expect(await refusal(needed)).toMatchObject({ code: 'EW_TIME_ZONE' })
    await bind({ ...needed, timeZone: 'Europe/Berlin' })
  })

  it.each([
    ['no_key', ['a'], 'EW_KEY_MISSING'],
    ['deferred_key', ['a'], 'EW_KEY_DEFERRABLE'],
    ['subscriptions', ['user_id'], 'EW_KEY_MOVED'],
    ['parted_1', ['user_id'], 'EW_TABLE_PARTITION'],
  ] as const)('refuses %s with the key %j', async (name, key, code) => {
    expect(await refusal(definition([created], { table: described(name, key) }))).toMatchObject({ code })
  })

  it('keeps to the key of the definition when another one came along', async () => {
    const subject = definition([created], { table: described('two_keys', ['b']) })
    const { model, table } = await bind(subject)
    expect(model.key).toEqual(['b'])
    expect(table.key?.columns[0]?.name).toBe('b')
  })

  it('knows which types compare as their texts do', async () => {
    const { model } = await bind(definition([created]))
    const flags = Object.fromEntries(
      model.columns.map(({ name, encoding, faithful, plainText }) => [name, [encoding, faithful, plainText]]),
    )
    expect(flags).toMatchObject({
      id: ['number', true, false],
      n: ['number', false, false],
      v: ['text', true, true],
      d: ['text', true, true],
      c: ['text', false, false],
      ci: ['text', false, true],
      status: ['text', true, false],
      flag: ['boolean', true, false],
      j: ['jsonb', false, false],
      f: ['text', false, false],
      iv: ['text', false, false],
      na: ['text', false, false],
      day_time: ['text', false, false],
      fake: ['text', false, false],
    })
    expect(model.columns.find(({ name }) => name === 'pair')?.composite).toBe(true)
    expect(model.columns.filter(({ known }) => known).map(({ name }) => name)).toEqual([
      'id',
      'user_id',
      'status',
      'n',
    ])
  })

  it('gives a model that nobody can change', async () => {
    const { model, table } = await bind(setting(constant('n', 1)))
    for (const part of [model, model.columns[0], model.events[1]?.constants[0], table.key?.columns[0]]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  describe('a lookup', () => {
    const rewards = {
      schema: 'public',
      name: 'rewards',
      key: ['id'],
      columns: {
        id: { type: 'integer', nullable: false },
        code: { type: 'text', nullable: true },
        price: { type: 'numeric(6,2)', nullable: true },
      },
    }
    const lookup = (where: Readonly<Record<string, Constant>>, column = 'reward_id') =>
      setting({ kind: 'lookup', column, table: rewards, where })

    it('is pinned to the key of the one row that matches', async () => {
      expect((await bind(lookup({ code: 'gold' }))).model.events[1]?.constants).toEqual([
        { column: 'reward_id', value: '7' },
      ])
      expect((await bind(lookup({ code: null }))).model.events[1]?.constants[0]?.value).toBe('10')
      expect((await bind(lookup({ code: 'tin', price: 2 }))).model.events[1]?.constants[0]?.value).toBe('9')
    })

    it('stays what it was when its event was installed, though the row has another key since', async () => {
      const before = await bind(lookup({ code: 'gold' }))
      await db.admin.query(`update public.rewards set id = 70 where code = 'gold'`)
      const again = (frozen: typeof before.model.shapes) =>
        db.database.session((session) => bindAggregate(session, lookup({ code: 'gold' }), { frozen }))
      expect((await again(before.model.shapes)).model.events[1]?.constants[0]?.value).toBe('7')
      // Of another version nothing is known yet.
      const older = before.model.shapes.map((shape) => ({ ...shape, schemaVersion: 9 }))
      expect((await again(older)).model.events[1]?.constants[0]?.value).toBe('70')
      await db.admin.query(`update public.rewards set id = 7 where code = 'gold'`)
    })

    it.each([[{ code: 'none' }], [{ code: 'tin' }], [{ cod: 'gold' }]])(
      'is refused for %j',
      async (where) => {
        expect((await refusal(lookup(where as Readonly<Record<string, Constant>>))).code).toMatch(
          /^EW_(LOOKUP|COLUMN_UNKNOWN)$/,
        )
      },
    )
  })
})

const FIXTURE = `
create type mood as enum ('active', 'it''s');
create domain short_name as varchar(5);
create domain moment as timestamptz;
create domain positive as int check (value > 0);
create type pair as (a int, b text);
create schema other;
create domain other.int4 as text;
create type other.uuid as enum ('x');
create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table subscriptions (
  id bigint primary key, user_id int, reward_id int, status mood, n numeric(10,2), c char(5), v varchar(3),
  d short_name, ci text collate ci, nm name, flag boolean, j jsonb, big bigint, f float8, iv interval, na numeric(4,1)[],
  bits bit(3), at timestamptz(0), plain_at timestamp(3), on_day date, domain_at moment, day_time time, pair pair,
  positive positive, required int not null default 1, fake other.int4[], twice int generated always as (2) stored);
create table no_key (a int unique, user_id int);
create table deferred_key (a int primary key deferrable, user_id int);
create table two_keys (a int primary key, b int not null unique, user_id int);
create table parted (user_id int primary key) partition by range (user_id);
create table parted_1 partition of parted for values from (0) to (10);
create table rewards (id int primary key, code text, price numeric(6,2));
insert into rewards values (7, 'gold', 1), (8, 'tin', 1), (9, 'tin', 2), (10, null, 1);
`
