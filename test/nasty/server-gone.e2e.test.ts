import { beforeAll, describe, expect, inject, it } from 'vitest'
import { ident } from '../../src/sql/index.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { textClient } from '../support/text-client.js'
import { ended } from './move-all.js'

const ROWS = 6_000

describe('a server that goes away in the middle of a backfill', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(`
      create table public.orders (id bigint primary key, status text, created_at timestamptz, paid_at timestamptz);
      insert into public.orders select n, 'paid', now(), now() from generate_series(1, ${ROWS}) n`)
    ended(await cli.json('init', '--yes'))
    ended(await cli.json('migrate', 'up'))
  })

  it('is told, with status 3, and a later run completes what it left', async () => {
    const killed = cli.spawn('backfill', '--max-rate', '1000', '--json', '--quiet')
    await until(async () => (await events()) > 0, { what: 'the first slice' })
    await away(true)
    const { status, document, stderr } = await killed
    expect({ status, error: document.error }).toMatchObject({
      status: 3,
      error: { code: expect.stringMatching(/^EW_DB_(LOST|UNREACHABLE)$/), next: expect.any(String) },
    })
    expect(stderr).not.toContain('    at ')

    const unreachable = await cli.json('backfill')
    expect(unreachable.status).toBe(3)
    expect(unreachable.document.error?.code).toBe('EW_DB_UNREACHABLE')

    await away(false)
    const before = await events()
    expect(before).toBeLessThan(2 * ROWS)
    const { tables } = ended(await cli.json('backfill'))
    expect(tables).toMatchObject([{ table: 'orders', rows: String(ROWS), complete: true }])
    expect(await events()).toBe(2 * ROWS)
    for (const engine of ['sql', 'replay']) ended(await cli.json('verify', '--engine', engine))
  })

  async function events(): Promise<number> {
    const { rows } = await db.admin.query<{ n: string }>('select count(*) as n from public.events')
    return Number(rows[0]?.n)
  }

  /** Nobody but who is in already gets in; ours are thrown out. */
  async function away(gone: boolean): Promise<void> {
    const maintenance = await textClient(inject('serverUrl'))
    try {
      await maintenance.query(`alter database ${ident(db.name)} allow_connections ${!gone}`)
      if (!gone) return
      await maintenance.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'eventward%'`,
        [db.name],
      )
    } finally {
      await maintenance.end()
    }
  }
})
