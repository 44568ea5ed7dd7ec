/** What code once did is declared now: older events are folded by the steps that lead to it, in both languages. */
import { beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate, occurredAt } from '../../src/definition/index.js'
import { show } from '../../src/inspect/index.js'
import { eventsOf } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { appKnex } from '../runtime/app-knex.js'
import { accounts, createAccounts, text } from '../support/account.js'
import { testDatabase } from '../support/database.js'
import { compareAsOf } from '../timemachine/compare-as-of.js'

const shared = {
  Opened: { creates: true, data: ['owner'], set: { open: true, opened_at: occurredAt, balance: 0 } },
} as const

const Coded = defineAggregate({
  name: 'Account',
  table: accounts,
  events: { ...shared, Renamed: { facts: { to: text } }, Frozen: { facts: { by: text } } },
  apply: {
    Renamed: (_, event) => ({ owner: event.data.to }),
    Frozen: (_, event) => ({ open: false, updated_by: event.data.by }),
  },
})

const Declared = defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    ...shared,
    Renamed: {
      schemaVersion: 2,
      data: { name: 'owner' },
      facts: { why: text },
      upcast: { 1: { rename: { to: 'name' }, add: { why: 'unknown' } } },
    },
    // Read as two.
    Closed: { set: { open: false } },
    Audited: { data: ['updated_by'] },
  },
  upcasters: {
    'Frozen@1': [
      { to: 'Closed', drop: ['by'] },
      { to: 'Audited', rename: { by: 'updated_by' } },
    ],
  },
})

describe('an aggregate whose code was replaced by declarations', () => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createAccounts)
    await captureOn(db.database, Coded)
    const { Renamed, Frozen } = eventsOf(Coded)
    for (const id of [1, 2, 3]) {
      await db.admin.query(`insert into public.accounts values (${id}, 'ada', 0, true, null, '2020-01-01Z')`)
      await Renamed.create(app(), { id, to: `bob ${id}` })
    }
    await Frozen.create(app(), { id: 3, by: 'eve' })
  })

  const proven = async (definition: AggregateDefinition, engine: 'sql' | 'replay') => {
    const { table, differences } = await verify(db.database, definition, { engine })
    return { clean: table.clean, differences: differences.map(({ key, kind }) => [key, kind]) }
  }

  it('was proven by replay alone before', async () => {
    expect(await proven(Coded, 'replay')).toEqual({ clean: true, differences: [] })
    await expect(proven(Coded, 'sql')).rejects.toMatchObject({ code: 'EW_ENGINE_SQL' })
    await expect(compareAsOf(db.database, Coded)).rejects.toMatchObject({ code: 'EW_TIME_MACHINE_CODE' })
  })

  it('is proven by both engines, shown and asked as of a time, with older and newer events', async () => {
    await captureOn(db.database, Declared)
    const { Renamed } = eventsOf(Declared)
    await Renamed.create(app(), { id: 2, name: 'carol', why: 'a wedding' })
    for (const engine of ['sql', 'replay'] as const) {
      expect(await proven(Declared, engine)).toEqual({ clean: true, differences: [] })
    }
    const { differences, rows } = await compareAsOf(db.database, Declared)
    expect(differences).toEqual([])
    expect(rows).toBeGreaterThan(3)
    const config = { aggregates: [Declared], events: { schema: 'public', table: 'events' } } as never
    const shown = await show(db.database, config, { aggregate: 'Account', id: '3', at: undefined })
    expect(shown.row).toMatchObject({ owner: 'bob 3', open: 'f', updated_by: 'eve' })
  })

  it('is found to differ by both, alike, where a step is missing', async () => {
    const Forgetful = {
      ...Declared,
      upcasts: (Declared.upcasts ?? []).map((upcast) => ({
        ...upcast,
        into: Array.isArray(upcast.into)
          ? upcast.into.map((target: { steps: readonly { op: string }[] }) => ({
              ...target,
              steps: target.steps.filter(({ op }) => op !== 'rename'),
            }))
          : upcast.into,
      })),
    } as unknown as AggregateDefinition
    const expected = {
      clean: false,
      differences: [
        ['1', 'row_differs'],
        ['3', 'row_differs'],
      ],
    }
    for (const engine of ['sql', 'replay'] as const) expect(await proven(Forgetful, engine)).toEqual(expected)
  })
})
