import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkCapture } from '../laws/check-capture.js'
import { randomModel, randomPair } from '../laws/random-model.js'
import { CREATE_TYPES } from '../laws/value-types.js'
import { testDatabase } from '../support/database.js'
import { compareAsOf } from './compare-as-of.js'

/** `FUZZ_RUNS=300 npx vitest run test/timemachine` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? '10')
const PAIRS = 44
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const cases = randomModel('law').chain((model) =>
  fc.array(randomPair(model.columns), { minLength: PAIRS, maxLength: PAIRS }).map((pairs) => ({
    model,
    pairs,
    [fc.toStringMethod]: () => JSON.stringify(model.definition, null, 1),
  })),
)

describe('a table as of a time, by SQL', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(CREATE_TYPES)
  })

  it.each(['compiled', 'cold'] as const)(
    `is what replaying stream by stream gives, for random tables and definitions captured on the %s path (FUZZ_SEED=${SEED})`,
    async (path) => {
      const seen = { rows: 0, refused: 0 }
      const property = fc.asyncProperty(cases, async ({ model, pairs }) => {
        // Inserts, updates, moved keys and deletions, and a backfill of what nobody wrote to.
        await checkCapture(db, model, pairs, path)
        const { rows } = await db.admin.query(
          'select aggregate_type as name from eventward.aggregates order by installed_at desc limit 1',
        )
        const compared = await compareAsOf(db.database, { ...model.definition, name: rows[0].name }).catch(
          (error: { readonly code?: string }) => {
            if (error.code !== 'EW_TIME_MACHINE_CODE') throw error
            seen.refused += 1
            return { differences: [], rows: 0 }
          },
        )
        seen.rows += compared.rows
        expect(compared.differences).toEqual([])
      })
      await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
      expect(seen.rows).toBeGreaterThan(RUNS * PAIRS * 0.5)
      expect(seen.refused).toBeLessThan(RUNS)
    },
    600_000,
  )
})
