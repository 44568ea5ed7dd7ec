import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { forget, phaseOf } from './proven-table.js'

describe('eventward cutover', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await cli.json('init')
  })
  beforeEach(async () => {
    await forget(db)
    await db.admin.query(createSubscriptions + manySubscriptions(1, 20))
  })

  async function prove() {
    for (const command of [['capture', 'on', 'subscriptions'], ['backfill'], ['verify']])
      expect(await cli.json(...command), command.join(' ')).toMatchObject({ status: 0 })
  }

  it('goes there and back by the documents that scripts read', async () => {
    await prove()
    const status = await cli.json('cutover', 'subscriptions', 'status')
    expect(status.document).toMatchObject({
      command: 'cutover',
      ok: true,
      tables: [{ table: 'subscriptions', from: 'dual_write', to: 'dual_write', attempts: 0, ready: false }],
    })
    const rehearsed = await cli.json('cutover', 'subscriptions', 'rehearse')
    expect(rehearsed).toMatchObject({
      status: 0,
      document: { tables: [{ attempts: expect.any(Number), to: 'dual_write' }] },
    })
    expect((await cli.json('cutover', 'subscriptions', 'status')).document.tables[0]?.['ready']).toBe(true)

    const there = await cli.json('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    expect(there).toMatchObject({
      status: 0,
      document: { ok: true, tables: [{ from: 'dual_write', to: 'event_first' }] },
    })
    expect(there.document.tables[0]?.['gate']).toContainEqual({
      name: 'backfill',
      ok: true,
      detail: 'backfill complete, 1 chunk',
      next: null,
    })
    expect(await phaseOf(db)).toBe('event_first')
    expect((await cli.json('status')).document.tables[0]).toMatchObject({ phase: 'event_first' })
    expect(await cli.json('cutover', 'public.subscriptions', 'rollback')).toMatchObject({
      status: 0,
      document: { tables: [{ from: 'event_first', to: 'dual_write' }] },
    })
    await cli.json('cutover', 'subscriptions', 'advance', '--confirm', 'public.subscriptions')
    expect(
      await cli.json('cutover', 'subscriptions', 'complete', '--confirm', 'subscriptions'),
    ).toMatchObject({
      status: 0,
      document: { tables: [{ from: 'event_first', to: 'complete' }] },
    })
    const late = await cli.json('cutover', 'subscriptions', 'rollback')
    expect(late).toMatchObject({ status: 2, document: { ok: false, error: { code: 'EW_PHASE' } } })
  })

  it('exits with 1 where the gate refuses, with a next step for each check', async () => {
    const refused = await cli.json('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    expect(refused).toMatchObject({
      status: 1,
      document: { ok: false, error: { code: 'EW_GATE_REFUSED', next: 'eventward capture on subscriptions' } },
    })
    const gate = refused.document.tables[0]?.['gate'] as readonly { ok: boolean; next: string | null }[]
    expect(gate.filter(({ ok }) => !ok).length).toBeGreaterThan(3)
  })

  it('exits with 1 where what was written since differs, and keeps it', async () => {
    await prove()
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select aggregate_type, '3', 9, 'Changed', '{}', now() from public.events limit 1`)
    const differs = await cli.json('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    expect(differs).toMatchObject({
      status: 1,
      document: {
        error: { code: 'EW_DIFFERENCES' },
        differences: [{ key: '3', kind: 'version_gap' }],
      },
    })
    expect(await cli.json('verify', '--open')).toMatchObject({ status: 1 })
  })

  it.each(['advance', 'complete'])(
    'wants consent for %s, by the name of the table, and no configuration gives it',
    async (action) => {
      await prove()
      const none = await cli.json('cutover', 'subscriptions', action)
      expect(none).toMatchObject({
        status: 2,
        document: { error: { code: 'EW_CONFIRM', next: 'Add --confirm subscriptions.' } },
      })
      expect(await cli.json('cutover', 'subscriptions', action, '--confirm', 'orders')).toMatchObject({
        status: 2,
        document: { error: { code: 'EW_CONFIRM' } },
      })
      expect(await phaseOf(db)).toBe('dual_write')
    },
  )

  it('says for people what happened, and how to go back without it', async () => {
    await writeFile(join(cli.cwd, '.env'), '')
    const early = await cli.spawn('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    expect(early.status).toBe(1)
    expect(early.stdout).toMatch(
      /^✗ refused: nothing changed, no lock taken\n ✗ capture is off {2}→ eventward capture on subscriptions/,
    )
    await prove()
    const there = await cli.spawn('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    expect(there.stderr).toMatch(
      /try \d+ {2}locked \d+ ms · 0 changed streams re-verified under it · released/,
    )
    expect(there.stdout).toMatch(
      /^✓ event_first since \S+ \S+Z · run \d+ · longest wait of a writer [\d.]+ m?s\nway back: eventward cutover subscriptions rollback\n {2}without Node: psql -c "select eventward\.rollback\('subscriptions'\)"\n$/,
    )
    await db.admin.query('update public.subscriptions set user_id = 0 where id < 4')
    const back = await cli.spawn('cutover', 'subscriptions', 'rollback')
    expect(back.stdout, back.stderr).toMatch(
      /^✓ dual_write again · \d+ ms · 3 events kept; 3 of 3 touched rows equal their fold · run \d+\n$/,
    )
    const status = await cli.spawn('cutover', 'subscriptions', 'status')
    expect(status.stdout).toContain('✓ way back rehearsed')
    expect(status.stdout).toContain('next: eventward cutover subscriptions advance --confirm subscriptions\n')
  })
})
