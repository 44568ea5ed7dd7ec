import { beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions, Subscription } from '../support/subscription.js'

describe('the seed', () => {
  const db = testDatabase()
  beforeAll(async () => {
    await db.admin.query(createSubscriptions + insertSubscriptions)
  })

  const stored = async () => {
    await db.admin.query(`set timezone = 'UTC'`)
    const { rows } = await db.admin.query<Record<string, string>>(
      `select aggregate_id as id, version as v, type, data::text as data, occurred_at as at
       from public.events
       order by aggregate_type, aggregate_id, version`,
    )
    return rows.map(({ id, v, type, data, at }) => `${id} v${v} ${type} ${data} ${at}`)
  }

  it('a dry run counts the two rows and writes nothing', async () => {
    const result = await backfill(db.database, Subscription, { dryRun: true })
    expect(result).toMatchObject({ rows: '2', streams: '2', events: '6', dryRun: true, run: null })
    const { rows } = await db.admin.query('select (select count(*) from eventward.runs) as runs')
    expect(rows).toEqual([{ runs: '0' }])
    expect(await stored()).toEqual([])
  })

  it('gives the events of the slide, to the value; the contradiction comes as residue', async () => {
    const result = await backfill(db.database, Subscription)
    expect(result).toEqual({
      table: 'subscriptions',
      rows: '2',
      streams: '2',
      events: '6',
      alreadyThere: '0',
      complete: true,
      run: '1',
      resumed: false,
      left: [],
      dryRun: false,
      capture: 'off',
    })
    expect(await stored()).toEqual([
      '12 v1 Created {"user_id": 123, "reward_id": 234, "payment_source_key": "pm_1"} 2018-02-01 00:00:00+00',
      '12 v2 Activated {"stripe_key": "sub_66123"} 2018-02-01 00:00:00+00',
      '13 v1 Created {"user_id": 345, "reward_id": 234, "payment_source_key": "pm_2"} 2018-02-02 00:00:00+00',
      '13 v2 Activated {"stripe_key": "sub_66134"} 2018-02-02 00:00:00+00',
      '13 v3 Deactivated {} 2018-04-06 00:00:00+00',
      '13 v4 Changed {"status": "unpaid"} 2018-02-02 00:00:00+00',
    ])
  })

  it('says in each event which run and which definition wrote it', async () => {
    const { rows } = await db.admin.query<Record<string, string>>(
      `select distinct e.metadata - 'inferred' as metadata, left(a.hash, 12) as hash
       from public.events e, eventward.aggregates a`,
    )
    expect(rows).toHaveLength(1)
    expect(JSON.parse(rows[0]?.['metadata'] ?? '')).toEqual({
      source: 'backfill',
      run: '1',
      definition: rows[0]?.['hash'],
      shape: expect.stringMatching(/^[0-9a-f]{12}$/),
      writer: expect.stringMatching(/^eventward\/\d/),
    })
  })

  it('run again finds every stream there, and says so in a receipt of its own', async () => {
    const before = await stored()
    const result = await backfill(db.database, Subscription)
    expect(result).toMatchObject({
      rows: '2',
      streams: '0',
      events: '0',
      alreadyThere: '2',
      complete: true,
      run: '2',
    })
    expect(await stored()).toEqual(before)
    const { rows } = await db.admin.query(
      'select state, counts, outcome, definition_hash is null as anonymous from eventward.runs order by id',
    )
    expect(rows).toMatchObject([
      { state: 'complete', outcome: '{"capture": false}', anonymous: 'f' },
      { state: 'complete', outcome: '{"capture": false}', anonymous: 'f' },
    ])
  })

  it('an empty table is complete with nothing in it', async () => {
    await db.admin.query('delete from public.subscriptions')
    const result = await backfill(db.database, Subscription)
    expect(result).toMatchObject({ rows: '0', streams: '0', events: '0', complete: true })
    await db.admin.query(insertSubscriptions)
  })
})
