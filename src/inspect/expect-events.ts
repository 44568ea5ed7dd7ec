import type { CatalogTable } from '../catalog/index.js'
import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import { compileDryRun, ident, keyJson, qualified, raw, sql, typedKey } from '../sql/index.js'

/** What a backfill of a table is expected to write. Counts are texts. */
export interface Expectation {
  readonly rows: string | null
  /** Null where even that can't be guessed. */
  readonly events: string | null
  /** True where the counts are guesses from a sample. */
  readonly estimate: boolean
}

/** A table of at most so many rows is counted; of a greater one some slices are looked at. */
const COUNTED_ROWS = 50_000
const SLICES = 6
const SLICE_ROWS = 2_000

/**
 * Recognises a table's rows without writing: all of them where they're few, else slices from all over the table. What
 * has a stream already is not counted. Reads by index; ACCESS SHARE.
 */
export async function expectEvents(
  session: Session,
  model: BoundModel,
  table: CatalogTable,
  events: EventsTable | null,
): Promise<Expectation> {
  const key = typedKey(model, table.key?.columns ?? [])
  const count = (after: readonly string[] | null, limit: number) =>
    session.one<{ rows: string; events: string; last: string | null }>(
      compileDryRun({ model, key, events, after, upTo: null, limit, runStartedAt: '2000-01-01 00:00:00+00' }),
    )
  const whole = await count(null, COUNTED_ROWS + 1)
  if (Number(whole.rows) <= COUNTED_ROWS) return { rows: whole.rows, events: whole.events, estimate: false }
  const estimate = table.rowEstimate
  if (estimate === null) return { rows: null, events: null, estimate: true }
  let rows = 0
  let found = 0
  for (const after of await places(session, model)) {
    const slice = await count(after, SLICE_ROWS)
    rows += Number(slice.rows)
    found += Number(slice.events)
  }
  const perRow = rows === 0 ? Number(whole.events) / Number(whole.rows) : found / rows
  return { rows: estimate, events: String(Math.round(Number(estimate) * perRow)), estimate: true }
}

/** Keys from all over the table: the same ones each time, as long as it stays the same. */
async function places(session: Session, model: BoundModel): Promise<readonly (readonly string[])[]> {
  const rows = await session.rows<{ key: string }>(sql`
    select ${raw(keyJson(model, (name) => `a.${ident(name)}`))} as key
    from ${raw(qualified(model.schema, model.table))} a tablesample system (0.1) repeatable (1)
    limit 3000`)
  const step = Math.max(1, Math.floor(rows.length / SLICES))
  return rows
    .filter((_, index) => index % step === 0)
    .slice(0, SLICES)
    .map(({ key }) => JSON.parse(key) as readonly string[])
}
