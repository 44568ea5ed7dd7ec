/** An application's role, with exactly the grants that doctor prints, does all that an application does. */
import { randomBytes } from 'node:crypto'
import createKnex, { type Knex } from 'knex'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { captureOff, captureOn } from '../../src/capture/index.js'
import { doctor } from '../../src/inspect/index.js'
import { installQueue } from '../../src/migrate/index.js'
import { attachProjections, replay } from '../../src/project/index.js'
import { defineDispatcher, reactor } from '../../src/react/index.js'
import { defineCommand, eventsOf, repositoryOf, withEvents } from '../../src/runtime/index.js'
import { EXPECTED, perSubscription, SHOWN } from '../project/per-subscription.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

const EVENTS = { schema: 'public', table: 'events' }
const { Activated, Created } = eventsOf(Subscription)
const Deactivate = defineCommand({
  name: 'Deactivate',
  aggregate: Subscription,
  build: () => ({ type: 'Deactivated' }),
})
const projection = perSubscription({ mode: 'inline' })
const dispatcher = defineDispatcher((on) => {
  on(Activated, { async: [reactor('confirm', () => undefined)] })
})
const config = {
  schemas: ['public'],
  events: EVENTS,
  aggregates: [Subscription],
  dispatcher,
  projections: [projection],
}

describe('a role that has the grants that doctor prints', () => {
  const db = testDatabase()
  const role = `app "${randomBytes(4).toString('hex')}"`
  const quoted = `"${role.replaceAll('"', '""')}"`
  let knex: Knex

  beforeAll(async () => {
    // A database that gives nothing to everybody: functions neither.
    await db.admin.query(`
      alter default privileges revoke execute on functions from public;
      revoke execute on all functions in schema eventward from public;
      create role ${quoted} login password 'app';
      ${createSubscriptions}
      ${insertSubscriptions}
      grant select, insert, update, delete on public.subscriptions to ${quoted}`)
    const url = new URL(db.url)
    url.username = encodeURIComponent(role)
    url.password = 'app'
    knex = createKnex({ client: 'pg', connection: url.href, pool: { min: 0, max: 2 } })
  })
  afterAll(async () => {
    await knex.destroy()
    await db.admin.query(`drop owned by ${quoted}; drop role ${quoted};
      alter default privileges grant execute on functions to public`)
  })

  /** Does what doctor says about applications, each statement as it stands there. */
  const obey = async (): Promise<readonly string[]> => {
    const findings = (await doctor(db.database, config)).filter(({ check }) =>
      check.startsWith('application'),
    )
    for (const { next } of findings) if (next !== null) await db.admin.query(next)
    return findings.filter(({ severity }) => severity === 'info').map(({ check }) => check)
  }

  it('may not so much as ask before', async () => {
    await expect(Activated.create(knex, { id: 12, stripe_key: 'a' })).rejects.toMatchObject({ code: '42501' })
  })

  it('is told in legacy that nothing would record its events', async () => {
    expect(await obey()).toEqual(['application', 'application_reactors', 'application_projections'])
    expect(await obey()).toEqual([])
    await expect(Activated.create(knex, { id: 12, stripe_key: 'a' })).rejects.toMatchObject({
      code: 'EW_NOT_CAPTURED',
    })
  })

  it('calls commands in dual_write and event_first, once per key, with jobs and inline projections', async () => {
    await installQueue(db.url)
    await captureOn(db.database, Subscription)
    const admin = createKnex({ client: 'pg', connection: db.url, pool: { min: 0, max: 1 } })
    try {
      await replay(admin, projection)
    } finally {
      await admin.destroy()
    }
    // The phase is told by a function that capture made, the projection's table is new.
    expect(await obey()).toEqual(['application', 'application_projections'])
    const detach = attachProjections(knex, [projection])
    dispatcher.attach(knex)
    for (const [phase, id] of [
      ['dual_write', 21],
      ['event_first', 22],
    ] as const) {
      await db.admin.query(`select eventward.flip('Subscription', '${phase}')`)
      await Created.create(knex, { id, user_id: 1, reward_id: 2, payment_source_key: null })
      const once = { idempotencyKey: `activate ${id}` }
      const first = await Activated.create(knex, { id, stripe_key: 'a' }, once)
      expect(await Activated.create(knex, { id, stripe_key: 'a' }, once)).toEqual(first)
      await Deactivate.call(knex, { id })
      expect(await repositoryOf(Subscription).find(knex, { id })).toMatchObject({ status: 'inactive' })
      expect(await repositoryOf(Subscription).history(knex, { id })).toHaveLength(3)
      const { rows } = await db.admin.query(
        `select count(*) as jobs from eventward_worker._private_jobs where payload ->> 'id' = '${id}'`,
      )
      expect(rows).toEqual([{ jobs: '1' }])
    }
    detach()
    const { rows: shown } = await db.admin.query(`select * from (${SHOWN}) s where id in ('21', '22')`)
    const { rows: expected } = await db.admin.query(`select * from (${EXPECTED}) s where id in ('21', '22')`)
    expect(shown).toEqual(expected)
    expect(shown).toHaveLength(2)
  })

  it('keeps events beside its writes without triggers', async () => {
    await db.admin.query(`select eventward.flip('Subscription', 'dual_write')`)
    expect(await captureOff(db.database, Subscription)).toMatchObject({ capture: 'off' })
    const shim = withEvents(knex, { aggregates: [{ aggregate: Subscription, capture: 'shim' }] })
    const write = () => shim('subscriptions').where({ id: 22 }).update({ reward_id: 7 })
    await expect(write()).rejects.toMatchObject({ code: '42501' })
    expect(await obey()).toEqual(['application_shim'])
    await write()
    const { rows } = await db.admin.query(
      `select type, metadata ->> 'source' as source from public.events where aggregate_id = '22' order by version desc limit 1`,
    )
    expect(rows).toEqual([{ type: 'Changed', source: 'shim' }])
  })

  it('changes and reads nothing of ours beyond that', async () => {
    for (const statement of [
      'update public.events set type = type',
      'delete from eventward.command_keys',
      'select * from eventward.captures',
      'select * from eventward_worker._private_jobs',
      `select eventward.flip('Subscription', 'event_first')`,
      'update eventward.projection_generations set state = state',
      'delete from eventward.definitions',
    ]) {
      await expect(knex.raw(statement), statement).rejects.toMatchObject({ code: '42501' })
    }
  })
})
