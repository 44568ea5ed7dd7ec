import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { BoundModel } from '../../src/definition/index.js'
import { EventwardError } from '../../src/errors/index.js'
import { testDatabase } from '../support/database.js'
import { checkLaws, type Mutant } from './check-laws.js'
import { randomModel, randomPair } from './random-model.js'
import { CREATE_TYPES } from './value-types.js'

/** Models per run; each is tried with PAIRS writes. `FUZZ_RUNS=1000 npx vitest run test/laws` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? '50')
const PAIRS = 44
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const cases = randomModel('law').chain((model) =>
  fc.array(randomPair(model.columns), { minLength: PAIRS, maxLength: PAIRS }).map((pairs) => ({
    model,
    pairs,
    // What a failure shows: the arbitraries of the columns would bury it.
    [fc.toStringMethod]: () => JSON.stringify(model.definition, null, 1),
  })),
)

describe('the laws of fold and recognise', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(CREATE_TYPES)
  })

  it(`hold for ${RUNS * PAIRS} writes of random tables and definitions, in both languages (FUZZ_SEED=${SEED})`, async () => {
    const property = fc.asyncProperty(cases, async ({ model, pairs }) => {
      expect(await checkLaws(db, model, pairs)).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  }, 300_000)

  const columnsLost: Mutant = (model) => ({ ...model, columns: withoutLast(model) })
  const orderSwapped: Mutant = (model) => ({ ...model, events: [...model.events].reverse() })
  const rounding: Mutant = (model) => ({
    ...model,
    columns: model.columns.map((column) =>
      column.castType.endsWith('"numeric"') ? { ...column, castType: 'pg_catalog.int8' } : column,
    ),
  })

  it.each([
    ['a dropped column', columnsLost],
    ['a swapped order of events', orderSwapped],
    ['an encoder that rounds', rounding],
  ])(
    'notice %s',
    async (_, mutant) => {
      expect(await firstViolation(mutant)).toMatch(/law [12]/)
    },
    120_000,
  )

  async function firstViolation(mutant: Mutant): Promise<string> {
    for (const { model, pairs } of fc.sample(cases, { numRuns: 60, seed: 4711 })) {
      const [violation] = await checkLaws(db, model, pairs, mutant).catch(onlyRefusals)
      if (violation !== undefined) return violation
    }
    return 'every law held'
  }
})

/** A mutant may also make the server refuse (an int8 of NaN): that is noticing, but not by a law, so it doesn't count. */
function onlyRefusals(error: unknown): readonly string[] {
  if (error instanceof EventwardError && error.code === 'EW_DB_FAILED') return []
  throw error
}

/** Without the last column that no event names: only residue tells of it. */
function withoutLast(model: BoundModel): BoundModel['columns'] {
  const named = JSON.stringify(model.events)
  const victim = model.columns.findLast(
    ({ name }) => !named.includes(JSON.stringify(name)) && name !== 'id' && name !== model.updatedAt,
  )
  return model.columns.filter((column) => column !== victim)
}
