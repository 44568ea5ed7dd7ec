import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { catchUp } from './catch-up.js'
import type { CutoverOptions, CutoverResult } from './cutover-result.js'
import { flip } from './flip.js'
import { lockedTry } from './locked-try.js'
import { type Captured, type Cutover, openCutover, readCaptured, wrongPhase } from './open-cutover.js'
import { writeReceipt } from './receipt.js'
import { lockBusy } from './rehearse.js'
import { repeatTries } from './repeat-tries.js'

/** In ms: whoever rolls back is in a hurry. */
const PAUSE_MS = 500

/**
 * The way back: `event_first -> dual_write`, at once and without a gate, since the rows were kept true all along. Then,
 * without a lock, what was written since the flip is verified and told. SHARE ROW EXCLUSIVE on the table, within the
 * bound, each try. Without Node: `select eventward.rollback('table')`.
 *
 * @throws UsageError EW_PHASE in `legacy` and `complete`; DatabaseError EW_LOCK_BUSY; StoppedError EW_STOPPED
 */
export async function rollback(
  database: Database,
  definition: AggregateDefinition,
  options: CutoverOptions = {},
): Promise<CutoverResult> {
  const { cutover, captured } = await database.session(async (session) => ({
    cutover: await openCutover(session, definition, options),
    captured: await readCaptured(session, definition.name),
  }))
  refuseWhereThereIsNoWay(cutover, captured)
  const base = {
    table: cutover.table,
    action: 'rollback',
    from: captured.phase,
    to: 'dual_write',
    gate: [],
  } as const
  if (captured.phase === 'dual_write') return { ...base, ...NOTHING, ok: true, since: captured.phaseSince }

  const { schema, name } = definition.table
  const work = { schema, table: name, boundMs: options.lockTimeoutMs ?? 400 }
  const pace = { pauseMs: options.pauseMs ?? PAUSE_MS }
  const tried = await repeatTries(cutover.table, options, pace, (attempt, late) =>
    database.session((session) =>
      lockedTry(session, { ...work, late }, (held) => back(held, cutover, attempt)),
    ),
  )
  if (tried.result === null) throw lockBusy(cutover.table, tried)
  const { attempts, lockedMs, longestWaitMs, result } = tried
  const flipped = { ...base, ...result, attempts, lockedMs, longestWaitMs }
  return { ...flipped, ...(await reverify(database, cutover, captured, result.run, options)) }
}

const NOTHING = {
  attempts: 0,
  lockedMs: null,
  longestWaitMs: 0,
  reverified: null,
  differences: [],
  run: null,
} as const

function refuseWhereThereIsNoWay(
  { table }: Cutover,
  captured: Captured | null,
): asserts captured is Captured {
  if (captured === null || !captured.on)
    throw wrongPhase(
      table,
      'it is not captured: it is legacy, and there is nothing to roll back',
      `Look at \`eventward status\`.`,
    )
  if (captured.phase === 'complete')
    throw wrongPhase(
      table,
      `it is complete since ${captured.phaseSince}: its way back was closed on purpose`,
      `Its rows are still kept true; look at \`eventward cutover ${shellWord(table)} status\`.`,
    )
}

/** Under the lock. Another process may have been faster: then nothing is left to do, and the receipt is its own. */
async function back(
  session: Session,
  cutover: Cutover,
  attempts: number,
): Promise<{ readonly since: string; readonly run: string | null }> {
  const was = await flip(session, cutover, 'dual_write')
  const { since } = await session.one<{ since: string }>(sql`
    select phase_since as since
    from eventward.captures
    where aggregate_type = ${cutover.definition.name}::text`)
  if (was === 'dual_write') return { since, run: null }
  const outcome = { result: 'done', from: was, to: 'dual_write', attempts }
  return { since, run: await writeReceipt(session, cutover, 'rollback', outcome) }
}

/** What was written since the proof that stands: the flip moved it on, so that's what was written since. */
async function reverify(
  database: Database,
  cutover: Cutover,
  { proof }: Captured,
  run: string | null,
  options: CutoverOptions,
): Promise<Pick<CutoverResult, 'ok' | 'reverified' | 'differences'>> {
  if (proof?.mark == null) return { ok: true, reverified: null, differences: [] }
  const { mark, streams, events, found } = await catchUp(database, cutover, proof.mark, options)
  const reverified = { streams, events }
  if (found.length > 0 && run !== null) {
    const differences = await database.session((session) => cutover.set.keep(session, run, found))
    return { ok: false, reverified, differences }
  }
  // The next advance needs not look at these again, where no other verify has come meanwhile.
  await database.session((session) =>
    session.execute(sql`
      update eventward.captures
      set verified_snapshot = ${mark.snapshot}::pg_snapshot, verified_horizon = ${mark.horizon}::bigint
      where aggregate_type = ${cutover.definition.name}::text
        and verified_run = ${proof.run}::bigint`),
  )
  return { ok: found.length === 0, reverified, differences: [] }
}
