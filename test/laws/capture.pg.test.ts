import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { checkCapture } from './check-capture.js'
import { randomModel, randomPair } from './random-model.js'
import { CREATE_TYPES } from './value-types.js'

/** Models per path; each is tried with PAIRS pairs of rows. `FUZZ_RUNS=300 npx vitest run test/laws` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? '20')
const PAIRS = 44
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const cases = randomModel('law').chain((model) =>
  fc.array(randomPair(model.columns), { minLength: PAIRS, maxLength: PAIRS }).map((pairs) => ({
    model,
    pairs,
    [fc.toStringMethod]: () => JSON.stringify(model.definition, null, 1),
  })),
)

describe('the laws of what triggers store', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(CREATE_TYPES)
  })

  it.each(['compiled', 'cold'] as const)(
    `hold on the %s path, for ${RUNS} random tables and definitions (FUZZ_SEED=${SEED})`,
    async (path) => {
      const property = fc.asyncProperty(cases, async ({ model, pairs }) => {
        expect(await checkCapture(db, model, pairs, path)).toEqual([])
      })
      await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
    },
    300_000,
  )

  it('notice a swapped order of events', async () => {
    for (const { model, pairs } of fc.sample(cases, { numRuns: 60, seed: 4711 })) {
      const [violation] = await checkCapture(db, model, pairs, 'compiled', (bound) => ({
        ...bound,
        events: [...bound.events].reverse(),
      }))
      if (violation !== undefined) return expect(violation).toMatch(/law [12]/)
    }
    return expect.unreachable('every law held')
  }, 120_000)
})
