/** A role without superuser rights, with the grants that doctor prints and no other, moves a table of someone else's. */
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOff, captureOn } from '../../src/capture/index.js'
import type { LoadedConfig } from '../../src/config/index.js'
import { advance, rollback } from '../../src/cutover/index.js'
import { connect, type Database } from '../../src/db/index.js'
import { doctor, type Finding } from '../../src/inspect/index.js'
import { migrateDown, migrateUp } from '../../src/migrate/index.js'
import { captureNames } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'
import { textClient } from '../support/text-client.js'

const EVENTS = { schema: 'public', table: 'events' }
const config: LoadedConfig = {
  path: '/eventward.config.ts',
  connection: null,
  knexfile: null,
  schemas: ['public'],
  events: EVENTS,
  aggregates: [Subscription],
  freshnessSeconds: 3_600,
  lockTimeoutMs: 400,
}

describe('a role without superuser rights', () => {
  const db = testDatabase({ migrated: false })
  const id = randomBytes(4).toString('hex')
  // Names that would break a grant which doesn't quote them.
  const [owner, tool, app] = [`Owner-${id}`, `Tool "${id}"`, `App ${id}`] as const
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
  let toolDatabase: Database
  let toolUrl = ''
  let application: pg.Client

  beforeAll(async () => {
    await db.admin.query(`
      create role ${quoted(owner)} nologin;
      create role ${quoted(tool)} login password 'tool';
      create role ${quoted(app)} login password 'app';
      ${createSubscriptions}
      ${insertSubscriptions}
      alter table public.subscriptions owner to ${quoted(owner)};
      alter type public.subscription_status owner to ${quoted(owner)};
      grant select, insert, update, delete on public.subscriptions to ${quoted(app)}`)
    toolUrl = urlOf(tool, 'tool')
    toolDatabase = await connect({ url: toolUrl, max: 6 })
    application = await textClient(urlOf(app, 'app'), { application_name: 'shop' })
  })

  afterAll(async () => {
    await toolDatabase.close()
    await application.end()
    for (const role of [tool, app, owner]) {
      await db.admin.query(`reassign owned by ${quoted(role)} to postgres; drop owned by ${quoted(role)}`)
      await db.admin.query(`drop role ${quoted(role)}`)
    }
  })

  const urlOf = (user: string, password: string) => {
    const url = new URL(db.url)
    url.username = encodeURIComponent(user)
    url.password = password
    return url.href
  }

  /** Does what doctor says, and nothing else, until it says nothing more. */
  async function obeyDoctor(): Promise<readonly string[]> {
    const run: string[] = []
    for (let round = 0; round < 4; round += 1) {
      const grants = asked(await doctor(toolDatabase, config))
      if (grants.length === 0) return run
      for (const grant of grants) await db.admin.query(grant)
      run.push(...grants)
    }
    return run
  }

  const asked = (findings: readonly Finding[]) =>
    findings
      .filter(({ severity }) => severity === 'stop' || severity === 'warn')
      .flatMap(({ next }) => (next?.startsWith('grant ') ? next.split('; ') : []))

  it('may do nothing of it before, and says which right it lacks', async () => {
    await expect(migrateUp({ url: toolUrl, events: EVENTS })).rejects.toThrow(/permission denied/)
    const findings = await doctor(toolDatabase, config)
    expect(findings.filter(({ severity }) => severity === 'stop').map(({ check }) => check)).toEqual(
      expect.arrayContaining(['migrated', 'select']),
    )
  })

  it('is given some grants by doctor, none of them a superuser’s, and then nothing stops it', async () => {
    const grants = await obeyDoctor()
    expect(grants.length).toBeGreaterThan(3)
    const { rows } = await db.admin.query(
      `select rolname from pg_roles where rolsuper and pg_has_role('${tool.replaceAll("'", "''")}', oid, 'member')`,
    )
    expect(rows).toEqual([])
    const left = (await doctor(toolDatabase, config)).filter(({ severity }) => severity === 'stop')
    expect(left).toEqual([])
  })

  it('migrates, captures, backfills, verifies, advances and comes back, while the application writes', async () => {
    await migrateUp({ url: toolUrl, events: EVENTS })
    expect(await obeyDoctor()).toEqual([])
    expect(await captureOn(toolDatabase, Subscription)).toMatchObject({
      capture: 'on',
      change: 'installed',
      notices: [],
    })
    await application.query(`
      update public.subscriptions set status = 'inactive', deactivated_at = '2020-01-01Z' where id = 12;
      insert into public.subscriptions values (14, 1, 2, 'pm_4', 'unpaid', null, '2020-01-01Z', null, null);
      delete from public.subscriptions where id = 14`)
    expect(await backfill(toolDatabase, Subscription)).toMatchObject({ complete: true, capture: 'on' })
    await application.query(`update public.subscriptions set stripe_key = 'sub_new' where id = 13`)
    for (const engine of ['replay', 'sql'] as const) {
      expect((await verify(toolDatabase, Subscription, { engine })).table).toMatchObject({
        clean: true,
        proof: true,
      })
    }
    const forward = await advance(toolDatabase, Subscription, { events: EVENTS })
    expect(forward.gate.filter(({ ok }) => !ok)).toEqual([])
    expect(forward).toMatchObject({ ok: true, to: 'event_first' })
    await application.query(`update public.subscriptions set stripe_key = 'sub_newer' where id = 13`)
    expect(await rollback(toolDatabase, Subscription, { events: EVENTS })).toMatchObject({
      ok: true,
      to: 'dual_write',
    })
    await application.query(`update public.subscriptions set stripe_key = 'sub_newest' where id = 13`)
    expect((await verify(toolDatabase, Subscription)).table).toMatchObject({ clean: true })
  })

  it('leaves the application the rights that it had: it can neither read nor write our tables', async () => {
    const { rows } = await application.query(`
      select has_schema_privilege('eventward', 'usage') as usage,
        has_table_privilege('public.events', 'insert, update, delete, truncate') as write,
        has_table_privilege('public.events_subscription', 'insert, update, delete, truncate') as partition`)
    expect(rows).toEqual([{ usage: 'f', write: 'f', partition: 'f' }])
    await expect(application.query('select * from eventward.captures')).rejects.toMatchObject({
      code: '42501',
    })
  })

  it('may be given what its commands need: doctor prints that as well', async () => {
    const phase = `select eventward."${captureNames('Subscription').phase}"() as phase`
    await expect(application.query(phase)).rejects.toMatchObject({ code: '42501' })
    const told = (await doctor(toolDatabase, config)).find(({ check }) => check === 'application')
    expect(told).toMatchObject({ severity: 'info' })
    await db.admin.query(told?.next ?? '')
    expect((await application.query(phase)).rows).toEqual([{ phase: 'dual_write' }])
    expect((await application.query('select count(*) > 0 as some from public.events')).rows).toEqual([
      { some: 't' },
    ])
    expect((await doctor(toolDatabase, config)).find(({ check }) => check === 'application')?.severity).toBe(
      'ok',
    )
  })

  it('turns capture off, and takes everything back but the events', async () => {
    expect(await captureOff(toolDatabase, Subscription)).toMatchObject({ capture: 'off', change: 'removed' })
    await application.query(`update public.subscriptions set stripe_key = 'sub_unseen' where id = 13`)
    await expect(migrateDown({ url: toolUrl, events: EVENTS, to: 0 })).rejects.toThrow(/events/)
  })
})
