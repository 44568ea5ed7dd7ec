import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { textClient } from '../support/text-client.js'
import { moveAll } from './move-all.js'

/** Each of them changes how a value is written or read, how long a statement may last, or what it may see. */
const DATABASE_SETTINGS = [
  `datestyle to 'German, DMY'`,
  `timezone to 'Asia/Kathmandu'`,
  `intervalstyle to 'sql_standard'`,
  `bytea_output to 'escape'`,
  `extra_float_digits to '-4'`,
  `search_path to legacy`,
  `default_transaction_isolation to 'serializable'`,
  `default_transaction_read_only to on`,
  `row_security to off`,
  `standard_conforming_strings to off`,
  `escape_string_warning to off`,
  `quote_all_identifiers to on`,
  `xmloption to document`,
  `client_encoding to 'LATIN1'`,
  `array_nulls to off`,
  `transform_null_equals to on`,
  `plpgsql.variable_conflict to use_column`,
  `check_function_bodies to off`,
  `client_min_messages to debug1`,
]

const ROLE_SETTINGS = [
  `statement_timeout to '60ms'`,
  `lock_timeout to '5ms'`,
  `idle_in_transaction_session_timeout to '10ms'`,
  `datestyle to 'SQL, MDY'`,
]

/** A database in LATIN1 with settings of its own, and a role that owns it and has others. */
const LEGACY = `
create schema legacy;
create table legacy.müller (
  "Schlüssel" text primary key, straße text, at timestamptz, local timestamp, day date, span interval, raw bytea,
  f float8, r real, money money, doc xml, flags text[], nothing text, at_created timestamptz default now(), path text);
insert into legacy.müller values
  ('é', 'ß\\', '2024-03-31 01:30:00+00', '2024-03-31 02:30:00', '2024-12-01', '-1 day 2 hours', '\\x00ff5c27', 0.1, 0.1, 12.5, '<a/>text', '{NULL,"null"}', null, default, 'C:\\x'),
  ('\\', '''', 'infinity', '-infinity', 'infinity', '1 year', '', 'NaN', -0.0, -1, '<a/>', '{}', 'null', default, '$1 $$ %s'),
  ('["x"]', '', '0044-03-15 00:00:00 BC', '0044-03-15 00:00:00 BC', '0044-03-15 BC', '0', null, 1e22, 16777217, 0, null, null, '', default, E'\\t\\n');
create function legacy.lower(text) returns text language sql as $$ select 'shadow' $$;
create function legacy.format(text, anyelement) returns text language sql as $$ select 'shadow' $$;
create type legacy.text as enum ('not ours');
create table legacy.shadowed (id int primary key, v legacy.text);
insert into legacy.shadowed values (1, 'not ours'), (2, null);
create table legacy.guarded (id int primary key, v pg_catalog.text);
insert into legacy.guarded values (1, 'mine'), (2, 'other');
create policy mine on legacy.guarded using (v = 'mine');
alter table legacy.guarded enable row level security;
`

describe('a database in LATIN1 whose settings are not ours, by the role that owns it', () => {
  const name = `t_${randomBytes(6).toString('hex')}`
  const role = `r_${randomBytes(6).toString('hex')}`
  let server: pg.Client
  let admin: pg.Client
  const url = (user?: string) => {
    const own = new URL(inject('serverUrl'))
    own.pathname = name
    if (user !== undefined) own.username = user
    return own.href
  }
  const cli = cliIn(() => url(role))

  beforeAll(async () => {
    server = await textClient(inject('serverUrl'))
    await server.query(`create role ${role} login password 'test'`)
    for (const setting of ROLE_SETTINGS) {
      await server.query(`alter role ${role} set ${setting}`)
    }
    await server.query(
      `create database ${name} owner ${role} template template0 encoding 'LATIN1' locale 'C' locale_provider libc`,
    )
    const owner = await textClient(url(role), { statement_timeout: 0, lock_timeout: 0 })
    await owner.query('set statement_timeout = 0; set datestyle = iso')
    await owner.query(LEGACY)
    await owner.end()
    for (const setting of DATABASE_SETTINGS) await server.query(`alter database ${name} set ${setting}`)
    admin = await textClient(url())
    await admin.query(
      'set row_security = on; set client_encoding = utf8; set search_path = pg_catalog; set default_transaction_read_only = off',
    )
  })

  afterAll(async () => {
    await admin?.end()
    await server?.query(`drop database if exists ${name} with (force)`)
    await server?.query(`drop role if exists ${role}`)
    await server?.end()
  })

  it('is moved and proven all the same', async () => {
    const moved = await moveAll(admin, cli, ['legacy'])
    expect(moved.refused).toEqual({})
    expect(moved.tables).toContain('legacy.müller')
  })

  it('refuses a table of which a policy hides rows from us, instead of moving the rest', async () => {
    await admin.query('alter table legacy.guarded force row level security')
    const { rows: before } = await admin.query(`select count(*) as n from public.events`)
    const backfill = await cli.json('backfill', 'legacy.guarded')
    expect(backfill.status).toBe(3)
    expect(backfill.document.error?.message).toContain('row-level security')
    for (const engine of ['sql', 'replay']) {
      const verify = await cli.json('verify', 'legacy.guarded', '--engine', engine)
      expect(verify.status).toBe(3)
      expect(verify.document.error?.message).toContain('row-level security')
    }
    expect((await admin.query(`select count(*) as n from public.events`)).rows).toEqual(before)
  })
})
