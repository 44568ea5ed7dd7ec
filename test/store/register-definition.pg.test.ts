import { beforeAll, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { type AggregateDefinition, defineAggregate, occurredAt } from '../../src/definition/index.js'
import {
  ensurePartition,
  forgetDefinition,
  frozenShapes,
  registerDefinition,
  requireEventsTable,
} from '../../src/store/index.js'
import { appendAsCaptured } from '../support/capture.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, Subscription, subscriptions } from '../support/subscription.js'

const created = {
  creates: true,
  data: ['user_id', 'reward_id', 'payment_source_key'],
  set: { status: 'unpaid', created_at: occurredAt },
} as const
const deactivated = { set: { status: 'inactive', deactivated_at: occurredAt } } as const

/** `Activated` carries nothing, under version 1 or as it is told. */
const withActivated = (schemaVersion: number) =>
  defineAggregate({
    name: 'Subscription',
    table: subscriptions,
    events: {
      Created: created,
      Activated: { schemaVersion, set: { status: 'active', activated_at: occurredAt } },
      Deactivated: deactivated,
    },
  })

describe('the registry of definitions', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
  })

  const register = (definition: AggregateDefinition) =>
    db.database.session(async (session) => {
      const events = await requireEventsTable(session)
      const frozen = await frozenShapes(session, definition.name)
      const { model } = await bindAggregate(session, definition, { frozen })
      await registerDefinition(session, model, events)
      return model
    })
  const stored = async () => {
    const { rows } = await db.admin.query(
      `select d.type, d.schema_version, d.effect, d.shape, d.hash, d.installed_at, a.hash as of
       from eventward.definitions d, eventward.aggregates a order by d.type, d.schema_version`,
    )
    return rows
  }

  it('freezes what each event means, and gives it back as it was', async () => {
    const model = await register(Subscription)
    const frozen = await db.database.session((session) => frozenShapes(session, 'Subscription'))
    expect(frozen).toEqual(model.shapes)
    expect(frozen.map(({ type, effect }) => `${type} ${effect}`)).toEqual([
      'Created creates',
      'Activated changes',
      'Deactivated changes',
      'Changed changes',
      'Deleted deletes',
    ])
  })

  it('the same definition installed again changes nothing', async () => {
    const before = await stored()
    await register(Subscription)
    expect(await stored()).toEqual(before)
  })

  it('a shape may change as long as no event of it is stored', async () => {
    await register(withActivated(1))
    const frozen = await db.database.session((session) => frozenShapes(session, 'Subscription'))
    expect(frozen.find(({ type }) => type === 'Activated')?.data).toEqual([])
    await register(Subscription)
    await db.database.session(async (session) => {
      await ensurePartition(session, await requireEventsTable(session), 'Subscription', 'subscriptions')
    })
    // Events of other types don't bind this one.
    await appendAsCaptured(db.admin, { id: '1', version: 1, type: 'Created' })
    await register(withActivated(1))
    await register(Subscription)
  })

  it('a changed meaning under a stored version is refused, naming it, and nothing is changed', async () => {
    await appendAsCaptured(db.admin, { id: '1', version: 2, type: 'Activated' })
    const before = await stored()
    await expect(register(withActivated(1))).rejects.toMatchObject({
      code: 'EW_DEFINITION_CHANGED',
      exitStatus: 2,
      message:
        'Subscription.Activated, schema version 1 has events already and would mean something else (data: -stripe_key): nothing was changed',
      next: "Raise its schemaVersion to 2, with upcast: { 1: { ... } } that says what the stored ones are read as, or write the table's events anew: `eventward backfill subscriptions --restart --confirm subscriptions`.",
    })
    expect(await stored()).toEqual(before)
  })

  it('under a new version it is welcome, and the old one stays for the events that have it', async () => {
    const model = await register(withActivated(2))
    const versions = model.shapes.filter(({ type }) => type === 'Activated')
    expect(versions.map(({ schemaVersion, data }) => [schemaVersion, data.length])).toEqual([
      [2, 0],
      [1, 1],
    ])
    expect(await stored()).toHaveLength(6)
  })

  it('another time zone, which gives stored times another text, is refused', async () => {
    const moved = defineAggregate({
      name: 'Subscription',
      table: subscriptions,
      timeZone: 'America/New_York',
      events: {
        Created: created,
        Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
      },
    })
    await expect(register(moved)).rejects.toMatchObject({
      code: 'EW_DEFINITION_CHANGED',
      message: expect.stringContaining('timeZone: UTC -> America/New_York'),
    })
  })

  it('another name for a table whose events are stored is refused: each row would have two streams', async () => {
    const renamed = defineAggregate({ name: 'Abo', table: subscriptions, events: { Created: created } })
    await expect(register(renamed)).rejects.toMatchObject({
      code: 'EW_DEFINITION_RENAMED',
      next: 'Name it Subscription again.',
    })
  })

  it('is not forgotten while there are events that it explains', async () => {
    const before = await stored()
    const forgetting = db.database.session(async (session) =>
      forgetDefinition(session, 'Subscription', await requireEventsTable(session)),
    )
    await expect(forgetting).rejects.toMatchObject({ code: 'EW_EVENTS_WRITTEN', exitStatus: 1 })
    expect(await stored()).toEqual(before)
  })

  it('is not replaced while a restart is half done', async () => {
    await db.admin.query(`
      insert into eventward.runs (command, table_schema, table_name, aggregate_type, state)
      values ('backfill --restart', 'public', 'subscriptions', 'Subscription', 'running')`)
    await expect(register(withActivated(2))).rejects.toMatchObject({ code: 'EW_RESTART_PENDING' })
    await db.admin.query('delete from eventward.runs')
  })

  it('two that register at once wait for each other: the second meets what the first froze', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => register(withActivated(2))))
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'fulfilled'))
    expect(await stored()).toHaveLength(6)
  })
})
