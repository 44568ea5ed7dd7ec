/** Two releases side by side, each a process of its own, on one captured table. */
import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { captureOn } from '../../src/capture/index.js'
import { lift, readingOf } from '../../src/fold/index.js'
import { storedShapes } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { createAccounts } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { NewAccount, OldAccount } from '../support/rolling-account.js'
import type { RollingReport } from '../support/rolling-process.js'
import { runScript } from '../support/run-script.js'

const EVENTS = { schema: 'public', table: 'events' }

describe('a rolling deploy', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await db.admin.query(`
      insert into public.accounts
      select n, 'owner ' || n, 0, true, null, '2020-01-01Z' from generate_series(1, 5) n`)
    await db.admin.query('create table public.rolling (stop boolean)')
    await captureOn(db.database, OldAccount, { events: EVENTS })
  })

  it('loses nothing: old and new code each fold what both wrote, and both engines agree', async () => {
    const older = runScript<RollingReport>('rolling-process.ts', db.url, 'old')
    await untilEvents(`metadata ->> 'release' = 'old'`, 5)
    await captureOn(db.database, NewAccount, { events: EVENTS })
    const newer = runScript<RollingReport>('rolling-process.ts', db.url, 'new')
    await untilEvents(`metadata ->> 'release' = 'new'`, 30)
    // Old code that knows nothing of events writes as well; its processes and the new ones both see what that was.
    await db.admin.query(
      `update public.accounts set balance = balance + 1000, owner = owner || '!' where id in (1, 2)`,
    )
    await untilEvents(
      `metadata ->> 'release' = 'old' and position > (select min(position) from public.events where metadata ->> 'release' = 'new')`,
      30,
    )
    await db.admin.query('insert into public.rolling values (true)')
    const reports = await Promise.all([older, newer])
    for (const { commands, met, wrong } of reports) {
      expect(wrong).toEqual([])
      expect(commands).toBeGreaterThan(30)
      expect(met).toEqual(expect.arrayContaining(['Audited@1', 'BalanceSet@1', 'BalanceSet@2']))
    }
    for (const definition of [OldAccount, NewAccount]) {
      for (const engine of ['sql', 'replay'] as const) {
        const { table, differences } = await verify(db.database, definition, { engine })
        expect(differences).toEqual([])
        expect(table).toMatchObject({ clean: true, engine })
      }
    }
  }, 120_000)

  it('leaves events that new code reads as its own, and old code knows that it does not', async () => {
    const { rows } = await db.admin.query<{ type: string; version: string; data: string }>(
      `select type, schema_version as version, data::text as data from public.events order by position`,
    )
    const stored = rows.map(({ type, version, data }) => ({ type, schemaVersion: Number(version), data }))
    await db.database.session(async (session) => {
      const bound = async (definition: typeof OldAccount | typeof NewAccount) =>
        (await bindAggregate(session, definition, await storedShapes(session, 'Account'))).model
      const fresh = await bound(NewAccount)
      for (const event of stored) {
        for (const lifted of lift(fresh, event)) {
          expect(readingOf(fresh, lifted)).toBe('present')
          if (event.type !== 'BalanceSet') continue
          expect(lifted.data).toMatch(/"sum": \d+\.\d\d/)
          if (event.schemaVersion === 1) expect(lifted.data).toContain('"why": "unknown"')
        }
      }
      const older = await bound(OldAccount)
      const readings = new Set(
        stored.map((event) => `${event.type}@${event.schemaVersion} ${readingOf(older, event)}`),
      )
      expect([...readings]).toEqual(
        expect.arrayContaining(['BalanceSet@1 present', 'BalanceSet@2 newer', 'Audited@1 newer']),
      )
    })
  })

  /** Waits for events, since a process tells of itself by nothing else. */
  async function untilEvents(where: string, count: number): Promise<void> {
    const there = async () => {
      const { rows } = await db.admin.query<{ n: string }>(
        `select count(*) as n from public.events where ${where}`,
      )
      return Number(rows[0]?.n) >= count
    }
    await until(there, { withinMs: 60_000, what: `${count} events where ${where}` })
  }
})
