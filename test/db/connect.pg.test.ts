import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { connect, SESSION_SETTINGS, sqlstateOf } from '../../src/db/index.js'
import { EventwardError } from '../../src/errors/index.js'
import { ident, sql } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { startTestServer } from '../support/test-server.js'

describe('a session', () => {
  const db = testDatabase()

  it('has pinned settings whatever the database says', async () => {
    const hostile = {
      search_path: 'public',
      TimeZone: 'Asia/Kolkata',
      DateStyle: 'German',
      IntervalStyle: 'iso_8601',
      bytea_output: 'escape',
      extra_float_digits: '-10',
      standard_conforming_strings: 'off',
      row_security: 'on',
      default_transaction_isolation: 'serializable',
      default_transaction_read_only: 'on',
      statement_timeout: '1s',
      lock_timeout: '1ms',
      quote_all_identifiers: 'on',
      array_nulls: 'off',
    }
    for (const [name, value] of Object.entries(hostile)) {
      await db.admin.query(`alter database ${ident(db.name)} set ${name} = '${value}'`)
    }
    const database = await connect({ url: db.url, applicationName: 'pinned' })
    try {
      const settings = await database.session((session) =>
        session.rows<{ name: string; setting: string }>(
          sql`select name, current_setting(name) as setting from pg_settings
            where name = any (${[...Object.keys(SESSION_SETTINGS), 'application_name']}::text[])`,
        ),
      )
      expect(Object.fromEntries(settings.map((row) => [row.name, row.setting]))).toEqual({
        ...SESSION_SETTINGS,
        application_name: 'pinned',
      })
      const row = await database.session((session) =>
        session.one(
          sql`select timestamptz '2020-01-02 03:04:05+00' as t, interval '1 mon 2 days' as i, '\\x00ff'::bytea as b,
            0.1::float8 + 0.2 as f`,
        ),
      )
      expect(row).toEqual({
        t: '2020-01-02 03:04:05+00',
        i: '1 mon 2 days',
        b: '\\x00ff',
        f: '0.30000000000000004',
      })
    } finally {
      await database.close()
      for (const name of Object.keys(hostile)) {
        await db.admin.query('set default_transaction_read_only = off')
        await db.admin.query(`alter database ${ident(db.name)} reset ${name}`)
      }
    }
  })

  it('gives every value as the text that the server wrote', async () => {
    const row = await db.database.session((session) =>
      session.one(
        sql`select 9223372036854775807::bigint as big, 1.10::numeric as exact, true as yes, null as nothing,
          '{"a": 1.0}'::jsonb as j, date '0044-03-15 BC' as ides, array[1, null]::integer[] as list`,
      ),
    )
    expect(row).toEqual({
      big: '9223372036854775807',
      exact: '1.10',
      yes: 't',
      nothing: null,
      j: '{"a": 1.0}',
      ides: '0044-03-15 BC',
      list: '{1,NULL}',
    })
  })

  it('raises an error where a policy would hide rows', async () => {
    const role = `r_${randomBytes(4).toString('hex')}`
    await db.admin.query(`
      create table public.secret (id integer primary key, owner text);
      insert into public.secret select n, case when n <= 3 then 'me' else 'you' end from generate_series(1, 10) n;
      alter table public.secret enable row level security;
      create policy mine on public.secret using (owner = 'me');
      create role ${role} login password 'x';
      grant select on public.secret to ${role};`)
    const url = new URL(db.url)
    url.username = role
    url.password = 'x'
    const database = await connect({ url: url.href })
    try {
      const naive = await database.session((session) =>
        session.transaction({}, async (within) => {
          await within.execute(sql`set local row_security = on`)
          return within.one<{ count: string }>(sql`select count(*) as count from public.secret`)
        }),
      )
      expect(naive.count).toBe('3')
      const error = await failure(
        database.session((session) => session.rows(sql`select count(*) from public.secret`)),
      )
      expect(error).toMatchObject({ code: 'EW_DB_FAILED', details: { sqlstate: '42501' } })
    } finally {
      await database.close()
      await db.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })

  it('says so when one row was expected and there are none, or two', async () => {
    await db.database.session(async (session) => {
      expect(await failure(session.one(sql`select 1 where false`))).toMatchObject({ code: 'EW_DB_NOT_ONE' })
      expect(await failure(session.one(sql`select 1 union all select 2`))).toMatchObject({
        code: 'EW_DB_NOT_ONE',
      })
    })
  })

  it('streams a COPY, and a reader that stops early costs one connection and nothing else', async () => {
    const database = await connect({ url: db.url, max: 1 })
    try {
      const whole = await database.session(async (session) => {
        let text = ''
        for await (const chunk of session.copyTo('copy (select generate_series(1, 3)) to stdout'))
          text += String(chunk)
        return text
      })
      expect(whole).toBe('1\n2\n3\n')
      await database.session(async (session) => {
        for await (const _ of session.copyTo('copy (select generate_series(1, 5000000)) to stdout')) break
      })
      expect(await database.session((session) => session.one(sql`select 1 as n`))).toEqual({ n: '1' })
      const error = await failure(
        database.session(async (session) => {
          for await (const _ of session.copyTo(
            'copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout',
          )) {
          }
        }),
      )
      expect(error).toMatchObject({ code: 'EW_DB_FAILED', details: { sqlstate: '22012' } })
    } finally {
      await database.close()
    }
  })
})

describe('a transaction', () => {
  const db = testDatabase()

  it('keeps what its work did, or nothing where it throws', async () => {
    await db.admin.query('create table public.kept (n integer)')
    await db.database.session(async (session) => {
      await session.transaction({}, (within) => within.execute(sql`insert into public.kept values (1)`))
      const error = await failure(
        session.transaction({}, async (within) => {
          await within.execute(sql`insert into public.kept values (2)`)
          await within.execute(sql`select 1 / 0`)
        }),
      )
      expect(sqlstateOf(error)).toBe('22012')
      expect(await session.rows(sql`select n from public.kept`)).toEqual([{ n: '1' }])
    })
  })

  it('does not pass for committed when a failure in it was swallowed', async () => {
    const error = await failure(
      db.database.session((session) =>
        session.transaction({}, async (within) => {
          await within.execute(sql`select 1 / 0`).catch(() => undefined)
        }),
      ),
    )
    expect(error).toMatchObject({ code: 'EW_DB_FAILED', details: { sqlstate: '25P02' } })
  })

  it('has its isolation and its bounds, and leaves none behind', async () => {
    await db.database.session(async (session) => {
      const seen = await session.transaction(
        { isolation: 'repeatable read', readOnly: true, lockTimeoutMs: 50, statementTimeoutMs: 2_000 },
        (within) =>
          within.one(
            sql`select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r,
              current_setting('lock_timeout') as l, current_setting('statement_timeout') as s`,
          ),
      )
      expect(seen).toEqual({ i: 'repeatable read', r: 'on', l: '50ms', s: '2s' })
      expect(await session.one(sql`select current_setting('lock_timeout') as l`)).toEqual({ l: '0' })
    })
  })

  it('ends with 55P03 at a lock and with 57014 at its time', async () => {
    const holder = await db.client()
    await holder.query('create table public.held (n integer)')
    await holder.query('begin; lock table public.held')
    await db.database.session(async (session) => {
      const locked = session.transaction({ lockTimeoutMs: 20 }, (within) =>
        within.rows(sql`select from public.held`),
      )
      expect(sqlstateOf(await failure(locked))).toBe('55P03')
      const slow = session.transaction({ statementTimeoutMs: 20 }, (within) =>
        within.rows(sql`select pg_sleep(30)`),
      )
      expect(sqlstateOf(await failure(slow))).toBe('57014')
      expect(await session.one(sql`select 1 as n`)).toEqual({ n: '1' })
    })
  })

  it('is refused within another one', async () => {
    const error = await failure(
      db.database.session((session) =>
        session.transaction({}, (within) => within.transaction({}, async () => undefined)),
      ),
    )
    expect(error).toMatchObject({ code: 'EW_DB_NESTED' })
  })

  it('ends promptly when everything is cancelled from the side', async () => {
    const database = await connect({ url: db.url, max: 2 })
    try {
      const sleeping = failure(database.session((session) => session.rows(sql`select pg_sleep(60)`)))
      // Cancelled again until it was on its way: before that there is nothing to cancel.
      let ended = false
      void sleeping.then(() => {
        ended = true
      })
      await until(async () => {
        await database.cancelAll()
        return ended
      })
      expect(sqlstateOf(await sleeping)).toBe('57014')
    } finally {
      await database.close()
    }
  })
})

describe('a connection that fails', () => {
  const db = testDatabase()
  const changed = (change: Partial<Pick<URL, 'port' | 'hostname' | 'pathname' | 'password'>>): string =>
    Object.assign(new URL(db.url), { password: 'secret-word', ...change }).href

  it.each([
    ['nobody listens', 'EW_DB_UNREACHABLE', { port: '1' }],
    ['no such host', 'EW_DB_UNREACHABLE', { hostname: 'nowhere.invalid' }],
    ['a wrong password', 'EW_DB_AUTH', {}],
    ['no such database', 'EW_DB_MISSING', { pathname: 'nowhere', password: 'test' }],
  ] as const)('is named: %s', async (_, code, change) => {
    const error = await failure(connect({ url: changed(change) }))
    expect(error).toMatchObject({ code, exitStatus: 3 })
    expect((error as EventwardError).next).toBeTruthy()
    expect(wholeText(error)).not.toContain('secret-word')
  })

  it.each(['nonsense', 'http://u:secret-word@h/d', 'postgres://u:secret-word@h:port/d'])(
    'is named: the URL %s',
    async (url) => {
      const error = await failure(connect({ url }))
      expect(error).toMatchObject({ code: 'EW_DB_URL', exitStatus: 2 })
      expect(wholeText(error)).not.toContain('secret-word')
    },
  )

  it('is EW_DB_LOST in the middle of a statement, and the next session has a new connection', async () => {
    const pid = await db.database.session((session) =>
      session.one<{ pid: string }>(sql`select pg_backend_pid() as pid`),
    )
    const error = await failure(
      db.database.session(async (session) => {
        const own = await session.one<{ pid: string }>(sql`select pg_backend_pid() as pid`)
        const sleeping = failure(session.rows(sql`select pg_sleep(60)`))
        await db.admin.query('select pg_terminate_backend($1)', [own.pid])
        throw await sleeping
      }),
    )
    expect(error).toMatchObject({ code: 'EW_DB_LOST', exitStatus: 3 })
    const after = await db.database.session((session) =>
      session.one<{ pid: string }>(sql`select pg_backend_pid() as pid`),
    )
    expect(after.pid).not.toBe(pid.pid)
  })

  it('does not end the process when it was idle', async () => {
    const database = await connect({ url: db.url, max: 1 })
    try {
      const { pid } = await database.session((session) =>
        session.one<{ pid: string }>(sql`select pg_backend_pid() as pid`),
      )
      await db.admin.query('select pg_terminate_backend($1, 5000)', [pid])
      // The pool may hand out the dead one once, before it has heard of it.
      const again = () => database.session((session) => session.one(sql`select 1 as n`))
      expect(await again().catch(again)).toEqual({ n: '1' })
    } finally {
      await database.close()
    }
  })

  it('is EW_DB_LOST, then EW_DB_UNREACHABLE, when the server goes away', async () => {
    const server = await startTestServer()
    try {
      const database = await connect({ url: server.url })
      const working = failure(
        database.session(async (session) => {
          for (;;) await session.rows(sql`select pg_sleep(0.01)`)
        }),
      )
      await server.stop()
      expect(await working).toMatchObject({ code: 'EW_DB_LOST' })
      const next = await failure(database.session((session) => session.rows(sql`select 1`)))
      expect(next).toMatchObject({ code: 'EW_DB_UNREACHABLE' })
      await database.close()
    } finally {
      await server.stop()
    }
  })
})

async function failure(work: Promise<unknown>): Promise<unknown> {
  const done = await work.then(
    () => 'it did not fail',
    (error: unknown) => error,
  )
  expect(done).toBeInstanceOf(EventwardError)
  return done
}

/** All that could be printed of an error, its causes' fields included. */
function wholeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.message, error.stack, JSON.stringify(error), wholeText(error.cause)].join('\n')
}
