/** What others do between two ranges of a verify: it must never prove half of one table and half of another. */
import { describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/index.js'
import { lastVerify } from '../../src/inspect/last-runs.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { interpose } from '../support/interpose.js'
import { gate } from '../support/race.js'
import { smallTable } from './small-table.js'

const SMALL = { workers: 1, chunkSize: 20 } as const

describe('a verify', () => {
  const db = testDatabase()

  async function filled(name: string) {
    const { definition } = await smallTable(db.admin, name, { id: 'integer', v: 'integer' })
    await db.admin.query(`insert into public.${name} select i, i from generate_series(1, 100) i`)
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select '${name}', i::text, 1, 'Created', jsonb_build_object('v', i), now() from generate_series(1, 100) i`)
    return definition
  }

  /** Runs `meanwhile` once, ahead of the third range that the database is asked for. */
  function afterTwoRanges(meanwhile: () => Promise<unknown>): Database {
    let ranges = 0
    return interpose(db.database, async (text) => {
      if (!text.includes('lock table')) return
      ranges += 1
      if (ranges === 3) await meanwhile()
    })
  }

  it.each([
    [
      'a column that is added with a default',
      (t: string) => `alter table public.${t} add column extra int not null default 7`,
    ],
    ['a rewrite of values', (t: string) => `alter table public.${t} alter column v type int using v + 1`],
    [
      'another table under its name',
      (t: string) =>
        `alter table public.${t} rename to ${t}_old; create table public.${t} (like public.${t}_old including all)`,
    ],
  ])('ends where %s comes between two ranges, by either engine', async (what, ddl) => {
    for (const engine of ['sql', 'replay'] as const) {
      const name = `moved_${what.replaceAll(/\W/g, '_').slice(0, 20)}_${engine}`.toLowerCase()
      const definition = await filled(name)
      const database = afterTwoRanges(() => db.admin.query(ddl(name)))
      await expect(verify(database, definition, { ...SMALL, engine })).rejects.toMatchObject({
        code: 'EW_VERIFY_MOVED',
        exitStatus: 1,
      })
    }
  })

  it('that ends clean leaves open what another one found since it began, and the later word counts', async () => {
    const definition = await filled('overlapping')
    const read = gate()
    let locks = 0
    const slow = interpose(db.database, async (text) => {
      if (!text.includes('lock table')) return
      locks += 1
      if (locks === 10) await read.pass()
    })
    const first = verify(slow, definition, SMALL)
    await read.entered
    await db.admin.query('update public.overlapping set v = -1 where id = 1')
    const second = await verify(db.database, definition, SMALL)
    expect(second.table.differences).toBe('1')
    read.open()
    expect((await first).table.clean, 'it had read row 1 before').toBe(true)
    const { rows } = await db.admin.query(
      `select key from eventward.mismatches where aggregate_type = 'overlapping' and resolved_at is null`,
    )
    expect(rows).toEqual([{ key: '1' }])
    const last = await db.database.session((session) =>
      lastVerify(session, { schema: 'public', name: 'overlapping' }),
    )
    expect(last?.run, 'the one that ended last').toBe((await first).table.run)
  })
})
