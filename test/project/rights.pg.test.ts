/** A role without superuser rights builds and reads projections in a schema of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applicationKnex } from '../../src/db/index.js'
import { dropOld, projectionRunner, replay } from '../../src/project/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

describe('a projection', () => {
  const db = testDatabase()
  const role = `projector_${process.pid}`
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    await db.admin.query(manySubscriptions(1, 30))
    await db.admin.query(`
      create role ${role} login password 'test';
      grant usage on schema eventward to ${role};
      grant create on schema public to ${role};
      grant select on all tables in schema eventward to ${role};
      grant execute on all functions in schema eventward to ${role};
      grant insert, update, delete on eventward.projection_generations, eventward.projection_receipts to ${role};
      grant select on public.events, public.subscriptions to ${role};
      grant select on sequence public.events_position_seq to ${role}`)
  })
  afterAll(() => db.admin.query(`drop owned by ${role}; drop role ${role}`))

  it('needs rights on its own bookkeeping, the log and its schema, and no superuser', async () => {
    const url = new URL(db.url)
    url.username = role
    url.password = 'test'
    const knex = applicationKnex({ url: url.href, applicationName: 'projector', max: 2 })
    try {
      const projection = perSubscription()
      await replay(knex, projection)
      await replay(knex, projection)
      expect(await dropOld(knex, projection)).toEqual(['public.activations__g1'])
      await db.admin.query(manySubscriptions(31, 40))
      const rounds = await projectionRunner({ knex, projections: [projection] }).once()
      expect(rounds).toMatchObject([{ state: 'written', error: null }])
      expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
    } finally {
      await knex.destroy()
    }
  })

  it('built by another role is written and read by the rights that the one before had', async () => {
    const knex = applicationKnex({ url: db.url, applicationName: 'superuser', max: 2 })
    try {
      const live = `select table_name from eventward.projection_generations where state = 'live'`
      const { rows: before } = await db.admin.query<{ table_name: string }>(live)
      await db.admin.query(`grant insert on public.${before[0]?.table_name} to public`)
      await replay(knex, perSubscription())
      const { rows } = await db.admin.query<{ table_name: string }>(live)
      const name = `public.${rows[0]?.table_name}`
      expect(name).not.toBe(`public.${before[0]?.table_name}`)
      const { rows: rights } = await db.admin.query(
        `select pg_get_userbyid(relowner) as owner, has_table_privilege('pg_monitor', oid, 'insert') as may
         from pg_class where oid = $1::regclass`,
        [name],
      )
      expect(rights).toEqual([{ owner: role, may: 't' }])
      expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
    } finally {
      await knex.destroy()
    }
  })

  it('says so where the database was restored elsewhere, and is built anew by a replay', async () => {
    const knex = applicationKnex({ url: db.url, applicationName: 'restored', max: 2 })
    try {
      await db.admin.query(`update eventward.projection_generations set epoch = 'another/1'`)
      const projection = perSubscription()
      expect(await projectionRunner({ knex, projections: [projection] }).once()).toMatchObject([
        { state: 'failed', error: { code: 'EW_LOG_EPOCH' } },
      ])
      expect(await replay(knex, projection)).toMatchObject({
        resumed: false,
        noParity: 'restored elsewhere',
      })
      expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
    } finally {
      await knex.destroy()
    }
  })
})
