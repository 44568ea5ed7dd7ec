import { beforeEach, describe, expect, it } from 'vitest'
import { readKeyShape, readRowShape } from '../../src/catalog/index.js'
import { testDatabase } from '../support/database.js'

const KEY = ['id', 'place']

describe('the shape of a table', () => {
  const db = testDatabase()
  beforeEach(async () => {
    await db.admin.query(`
      drop table if exists public.shaped, public.spare;
      create table public.shaped (id text collate "C", place integer, v integer, w text, primary key (id, place));
      insert into public.shaped values ('a', 1, 1, 'w')`)
  })
  const row = () => db.database.session((session) => readRowShape(session, 'public', 'shaped', KEY))
  const key = () => db.database.session((session) => readKeyShape(session, 'public', 'shaped', KEY))

  it.each([
    'alter table public.shaped alter v type text',
    'alter table public.shaped alter w type varchar(9)',
    `alter table public.shaped alter w type text collate "C"`,
    'alter table public.shaped add extra integer',
    'alter table public.shaped drop w',
    'alter table public.shaped rename v to u',
    'alter table public.shaped rename v to x; alter table public.shaped rename w to v',
    `create table public.spare (like public.shaped including all); alter table public.shaped rename to gone;
     alter table public.spare rename to shaped; drop table public.gone`,
  ])('is another one after: %s', async (statement) => {
    const before = await row()
    expect(before).not.toBe('')
    await db.admin.query(statement)
    expect(await row()).not.toBe(before)
  })

  it.each([
    'alter table public.shaped alter id type text collate "POSIX"',
    'alter table public.shaped alter place type bigint',
    `alter table public.shaped drop constraint shaped_pkey;
     create unique index on public.shaped (id text_pattern_ops, place)`,
    'alter table public.shaped drop constraint shaped_pkey',
  ])('and so is the order of its key after: %s', async (statement) => {
    const before = { key: await key(), row: await row() }
    await db.admin.query(statement)
    expect(await key()).not.toBe(before.key)
    expect(await row()).not.toBe(before.row)
  })

  it.each([
    'vacuum full public.shaped',
    'reindex table concurrently public.shaped',
    'create index on public.shaped (v)',
    'create unique index on public.shaped (id, place)',
    'update public.shaped set v = 2; analyze public.shaped',
    'alter table public.shaped rename constraint shaped_pkey to other',
  ])('is the same after: %s', async (statement) => {
    const before = { key: await key(), row: await row() }
    await db.admin.query(statement)
    expect({ key: await key(), row: await row() }).toEqual(before)
  })

  it('a column beside the key leaves the order of the key alone', async () => {
    const before = await key()
    await db.admin.query('alter table public.shaped alter v type text')
    expect(await key()).toBe(before)
  })

  it('of a table that is not there is empty', async () => {
    await db.admin.query('drop table public.shaped')
    expect([await row(), await key()]).toEqual(['', ''])
  })
})
