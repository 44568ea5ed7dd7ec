import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { exportEvents, importEvents, type Masks } from '../../src/transfer/index.js'
import { testDatabase } from '../support/database.js'
import { createPeople, Login, Person, PersonThen } from './people.js'
import { expectVerified } from './staging.js'

const MASKS: Masks = {
  people: {
    email: 'email',
    nick: 'hash',
    phone: 'fixed:+00',
    ssn: 'hash',
    code: 'hash',
    token: 'hash',
    reason: 'hash',
  },
  logins: { email: 'email', secret: 'fixed:x' },
}

/** Every value that must not leave, as it might stand in a file. */
const SECRETS = /secret[-\d ]|sec\d|\b770000\d\d\b|zz\d{4}|deadbeef|bob@/i

describe('an export with masks', () => {
  const source = testDatabase()
  const staging = testDatabase()
  let folder = ''
  const path = (name: string) => join(folder, name)
  const run = (masks: Masks, out: string, options = {}) =>
    exportEvents(source.database, [Person, Login], { out: path(out), masks, salt: 'pepper', ...options })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
    for (const db of [source, staging]) await db.admin.query(createPeople)
    await captureOn(source.database, PersonThen)
    await source.admin.query(insert(1, 20))
    await captureOn(source.database, Person)
    await captureOn(source.database, Login)
    await source.admin.query(insert(21, 40))
    await source.admin.query(`
      insert into public.logins (email, secret)
      select case when n % 7 = 0 then null else 'secret' || (n % 40 + 1) || '@example.org' end, 'secret' || n
      from generate_series(1, 80) n;
      begin;
      set local eventward.metadata = '{"user": "bob@example.org", "request": {"ip": "10.77.77.7", "path": "/x"}}';
      update public.people set email = 'Secret-new@example.org' where id = 40;
      update public.people set phone = null, nick = 'sec0', ssn = 77000000, code = 'zz0000' where id in (5, 30);
      update public.people set token = 'deadbeef-0000-4000-8000-000000000099' where id = 6;
      commit;
      update public.people set status = 'left' where id = 7;
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'Person', '7', max(version) + 1, 'Left', '{"reason": "secret reason", "token": "deadbeef"}', clock_timestamp()
      from public.events where aggregate_type = 'Person' and aggregate_id = '7'`)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('holds a masked value nowhere: not under older versions, other names, as residue, fact or metadata', async () => {
    const plain = await exportEvents(source.database, [Person, Login], { out: path('plain') })
    const open = await readFile(path('plain'), 'utf8')
    for (const form of [
      '"mail"',
      '"$residue"',
      '"Changed"',
      '"reason"',
      '"schemaVersion":1',
      '"schemaVersion":2',
    ])
      expect(open).toContain(form)
    expect(open.match(new RegExp(SECRETS, 'gi'))?.length).toBeGreaterThan(200)

    const result = await run(MASKS, 'masked', { metadata: ['user', 'request.ip'] })
    const file = await readFile(path('masked'), 'utf8')
    expect(file.match(SECRETS)?.[0]).toBeUndefined()
    expect(file).not.toContain('10.77.77.7')
    expect(file).toContain('"path": "/x"')
    expect(result.events).toBe(plain.events)
    expect(result.masks.columns['people']).toMatchObject({ phone: 'fixed:+00', email: 'email' })
  })

  it('makes rows that fit: joins hold, unique stays unique, lengths and types are kept, NULL is NULL', async () => {
    await importEvents(staging.database, [Person, Login], { from: path('masked') })
    await expectVerified(staging.database, [Person, Login])
    const facts = `
      select count(*) as logins, count(l.email) as known, count(p.id) as joined, count(distinct p.email) as people,
        (select json_agg(json_build_array(id, nick is null, phone is null, ssn is null, code is null, token is null, status)
          order by id) from public.people)::text as nulls,
        (select count(distinct ssn) from public.people) as ssns,
        (select count(distinct nick) from public.people) as nicks
      from public.logins l left join public.people p on p.email = l.email`
    expect((await staging.admin.query(facts)).rows).toEqual((await source.admin.query(facts)).rows)
    const { rows } = await staging.admin.query(`
      select bool_and(email like '%@example.invalid') as emails, bool_and(phone = '+00') as phones,
        max(length(nick)) as nick, bool_and(code ~ '^[0-9a-f]{6}$') as codes from public.people`)
    expect(rows).toEqual([{ emails: 't', phones: 't', nick: '8', codes: 't' }])
    const next = await staging.admin.query(
      `insert into public.people (email, status, joined_at) values ('x', 'here', now()) returning id`,
    )
    expect(next.rows).toEqual([{ id: '41' }])
  })

  it('gives the same masks under the same salt, and goes on under no other', async () => {
    await run(MASKS, 'again', { metadata: ['user', 'request.ip'] })
    const events = async (name: string) => (await readFile(path(name), 'utf8')).split('\n').slice(1, -2)
    expect(await events('again')).toEqual(await events('masked'))
    await expect(
      run(MASKS, 'masked', { metadata: ['user', 'request.ip'], salt: 'other', resume: true }),
    ).rejects.toMatchObject({ code: 'EW_MASK_SALT' })
  })

  it.each<[string, Masks, string]>([
    ['a column that is not there', { people: { emial: 'hash' } }, 'EW_MASK_UNKNOWN'],
    ['a table that is not exported', { persons: { email: 'hash' } }, 'EW_MASK_UNKNOWN'],
    ['the key', { people: { id: 'hash' } }, 'EW_MASK_KEY'],
    ['what an event sets', { people: { status: 'fixed:x' } }, 'EW_MASK_SET'],
    ['the time of an event', { people: { joined_at: 'fixed:2020-01-01' } }, 'EW_MASK_SET'],
    ['NULL in a column that is NOT NULL', { logins: { secret: 'null' } }, 'EW_MASK_NULL'],
    ['a text in an integer', { people: { ssn: 'fixed:none' } }, 'EW_MASK_VALUE'],
    ['a text that is too long', { people: { nick: 'fixed:much too long' } }, 'EW_MASK_VALUE'],
    ['an address in a short column', { people: { nick: 'email' } }, 'EW_MASK_VALUE'],
    [
      'one value in a unique column',
      { people: { email: 'fixed:a@b' }, logins: { email: 'null' } },
      'EW_MASK_UNIQUE',
    ],
    ['one end of a reference', { people: { email: 'hash' } }, 'EW_MASK_REFERENCE'],
    ['both ends in two ways', { people: { email: 'hash' }, logins: { email: 'email' } }, 'EW_MASK_REFERENCE'],
  ])('refuses %s before a file is made', async (_, masks, code) => {
    await expect(run(masks, 'refused')).rejects.toMatchObject({ code })
    await expect(readFile(path('refused'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it("refuses to mask eventward's own metadata", async () => {
    await expect(run({}, 'refused', { metadata: ['shape'] })).rejects.toMatchObject({
      code: 'EW_MASK_METADATA',
    })
  })
})

function insert(from: number, to: number): string {
  return `
    insert into public.people (email, nick, phone, ssn, code, token, status, joined_at)
    select 'secret' || n || '@example.org', 'sec' || n, 'secret-' || n, 77000000 + n, 'zz' || lpad(n::text, 4, '0'),
      ('deadbeef-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'here', '2020-01-01'::timestamptz + n * interval '1 h'
    from generate_series(${from}, ${to}) n`
}
