/** Random tables, definitions and writes: what is imported is what was exported, but for the columns that were masked. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { ident } from '../../src/sql/index.js'
import { exportEvents, importEvents, type Masks } from '../../src/transfer/index.js'
import { loadPairs } from '../laws/law-pairs.js'
import { type RandomModel, type RandomPair, randomModel, randomPair } from '../laws/random-model.js'
import { CREATE_TYPES } from '../laws/value-types.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { expectVerified } from './staging.js'

/** `FUZZ_RUNS=100 npx vitest run test/transfer/laws` looks further. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? '10')
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const PAIRS = 30

const cases = randomModel('law').chain((model) =>
  fc
    .record({
      pairs: fc.array(randomPair(model.columns), { minLength: PAIRS, maxLength: PAIRS }),
      hidden: fc.subarray(model.columns.map(({ name }) => name)),
    })
    .map(({ pairs, hidden }) => ({
      model,
      pairs,
      hidden,
      [fc.toStringMethod]: () => JSON.stringify({ hidden, definition: model.definition }, null, 1),
    })),
)

describe('an import after an export', () => {
  const source = testDatabase()
  const staging = testDatabase()
  let folder = ''
  let serial = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
    for (const { admin } of [source, staging]) await admin.query(CREATE_TYPES)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it(`gives each row of ${RUNS} random tables, and NULL where a column was masked (FUZZ_SEED=${SEED})`, async () => {
    const property = fc.asyncProperty(cases, async ({ model, pairs, hidden }) => {
      serial += 1
      const definition = { ...model.definition, name: `Law ${serial}` }
      for (const { admin } of [source, staging]) await admin.query(FORGET)
      await written(source, { ...model, definition }, pairs)
      const described = model.columns.map(({ name, type }) => `${ident(name)} ${type}`).join(', ')
      await staging.admin.query(`create table public.law (id bigint primary key, ${described})`)

      const masked = await exported(definition, hidden, join(folder, String(serial)))
      await importEvents(staging.database, [definition], { from: join(folder, String(serial)), pageSize: 17 })
      const coded = definition.events.some(({ apply }) => apply !== undefined)
      await expectVerified(staging.database, [definition], coded ? ['replay'] : ['sql', 'replay'])
      expect(await rowsOf(staging, model, [])).toEqual(await rowsOf(source, model, masked))
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  }, 300_000)

  /** With those of the columns masked that may be: what an event sets is told by the event. */
  async function exported(
    definition: RandomModel['definition'],
    hidden: readonly string[],
    out: string,
  ): Promise<readonly string[]> {
    let masked = hidden
    for (;;) {
      const masks: Masks = { law: Object.fromEntries(masked.map((name) => [name, 'null' as const])) }
      const refused = await exportEvents(source.database, [definition], { out, masks }).then(
        () => null,
        (error: { code: string; details: { column: string } }) => {
          if (error.code !== 'EW_MASK_SET') throw error
          return error.details.column
        },
      )
      if (refused === null) return masked
      masked = masked.filter((name) => name !== refused)
    }
  }
})

const FORGET = `
  drop table if exists public.law cascade;
  do $$ declare t regclass; begin
    for t in select inhrelid from pg_inherits where inhparent = 'public.events'::regclass loop
      execute format('drop table %s', t);
    end loop;
  end $$;
  delete from eventward.captures;
  delete from eventward.aggregates`

/** Rows that were there before capture, and writes after it. */
async function written(
  db: TestDatabase,
  { columns, definition }: RandomModel,
  pairs: readonly RandomPair[],
): Promise<void> {
  await loadPairs(db, columns, pairs)
  await db.admin.query(
    'insert into public.law select (b).* from public.law_pairs where not creation and n % 3 = 0',
  )
  await captureOn(db.database, definition)
  const names = columns.map(({ name }) => ident(name))
  await db.admin.query(`
    insert into public.law select (case when creation then a else b end).* from public.law_pairs where creation or n % 3 <> 0;
    update public.law l
    set ${names.map((name) => `${name} = (p.a).${name}`).join(', ')}
    from public.law_pairs p
    where p.n = l.id and not p.creation;
    update public.law set id = id + 1000 where id % 7 = 0;
    delete from public.law where id % 11 = 0`)
  await backfill(db.database, definition)
}

/** Each column by its output function; those that were masked as NULL. */
async function rowsOf(db: TestDatabase, { columns }: RandomModel, masked: readonly string[]) {
  const texts = columns.map(({ name }) =>
    masked.includes(name)
      ? 'null'
      : `case when num_nulls(${ident(name)}) = 0 then format('%s', ${ident(name)}) end`,
  )
  return db.database.session((session) =>
    session.rows({
      text: `select id, array[${texts.join(', ')}]::text[] as texts from public.law order by id`,
      values: [],
    }),
  )
}
