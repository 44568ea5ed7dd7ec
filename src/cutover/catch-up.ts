import type { Database } from '../db/index.js'
import type { Mark } from '../sql/index.js'
import { marker } from '../store/index.js'
import type { Found } from '../verify/index.js'
import type { CutoverOptions } from './cutover-result.js'
import type { Cutover } from './open-cutover.js'

/** Streams that were written to since a mark, verified again without a lock. */
export interface CaughtUp {
  /** All that came before it is verified. */
  readonly mark: Mark
  readonly streams: number
  readonly events: number
  readonly found: readonly Found[]
}

/** So few streams can be verified under the lock: some 20 ms. */
const FEW = 100
/** Where writers are faster than we are, the bound under the lock decides. */
const ROUNDS = 12

/**
 * Verifies, without any lock on the table, what was written to since `since`, round after round, until few streams are
 * left for the last look. Each round takes its mark before it reads: what is committed meanwhile is the next one's.
 */
export async function catchUp(
  database: Database,
  { set, events, table }: Cutover,
  since: Mark,
  { onProgress }: Pick<CutoverOptions, 'onProgress'> = {},
): Promise<CaughtUp> {
  const take = marker(events, since.horizon)
  let mark = since
  const sum = { streams: 0, events: 0 }
  for (let round = 1; ; round += 1) {
    const from = mark
    mark = await database.session(take)
    const seen = await checkBetween(database, set, from, mark)
    sum.streams += seen.streams
    sum.events += seen.events
    if (seen.streams > 0)
      onProgress?.({ kind: 'verified', table, round, streams: seen.streams, events: seen.events })
    if (seen.found.length > 0) return { mark, ...sum, found: seen.found }
    if (seen.streams <= FEW || round === ROUNDS) return { mark, ...sum, found: [] }
  }
}

async function checkBetween(database: Database, set: Cutover['set'], from: Mark, to: Mark) {
  let [streams, events] = [0, 0]
  const found: Found[] = []
  for (let after = from.horizon; ; ) {
    const page = await database.session((session) => set.touched(session, { from, to, after }))
    if (page === null) return { streams, events, found }
    after = page.last
    events += page.events
    const checked = await database.session((session) => set.check(session, page.ids))
    streams += page.ids.length
    found.push(...checked.found)
  }
}
