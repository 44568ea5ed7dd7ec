import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { ended } from './move-all.js'

describe('what can not be moved', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    // Random, so that no compression makes room for it; the quotes double as JSON.
    await db.admin.query(`
      create table public.long_keys (a text collate "C", b text collate "C", v int, primary key (a, b));
      insert into public.long_keys
      select coalesce(n::text, 'long') , translate(text, '0123', '""\\\\'), n
      from (values (1, 'short'), (2, 'short')) s(n, text)
      union all select 'long', (select string_agg(translate(md5(i::text), '0123', '""\\\\'), '') from generate_series(1, 75) i), 3;
      create table public.gone (id int primary key);
      create table public.named (id int primary key, what regclass);
      insert into public.named values (1, 'public.gone'), (2, 'pg_class');
      create table public.computed (a int not null, b int generated always as (a * 2) stored primary key, v text);
      insert into public.computed values (1, default, 'x')`)
    ended(await cli.json('init', '--yes'))
    ended(await cli.json('migrate', 'up'))
  })

  it('a key too long for an index beside its type: the row is left, named, and never called done', async () => {
    const { status, document } = await cli.json('backfill', 'long_keys')
    expect({ status, error: document.error?.code }).toEqual({ status: 1, error: 'EW_BACKFILL_LEFT' })
    expect(document.tables).toMatchObject([{ table: 'long_keys', complete: false, streams: '2' }])
    for (const engine of ['sql', 'replay']) {
      const verify = await cli.json('verify', 'long_keys', '--engine', engine)
      expect(verify.status).toBe(1)
      expect(verify.document.differences).toMatchObject([{ table: 'long_keys', kind: 'missing_stream' }])
    }
  })

  it('a key that the table computes: refused with its reason', async () => {
    const { document } = await cli.json('plan')
    expect(document.tables.find(({ table }) => table === 'computed')).toMatchObject({
      supported: false,
      reasons: [{ code: 'EW_KEY_MISSING' }],
    })
  })

  it('a name whose object is dropped after the backfill: that row is a difference, the others are proven', async () => {
    ended(await cli.json('backfill', 'named'))
    await db.admin.query('drop table public.gone')
    for (const engine of ['sql', 'replay']) {
      const { status, document } = await cli.json('verify', 'named', '--engine', engine)
      expect({ status, error: document.error?.message }).toMatchObject({ status: 1 })
      expect(document.differences).toMatchObject([{ table: 'named', key: '1', kind: 'unreadable' }])
    }
  })
})
