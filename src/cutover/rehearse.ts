import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { DatabaseError, GateError, shellWord } from '../errors/index.js'
import { sql } from '../sql/index.js'
import type { CutoverOptions, CutoverResult, Phase } from './cutover-result.js'
import { flip } from './flip.js'
import { lockedTry, type Tried } from './locked-try.js'
import { type Captured, type Cutover, openCutover, readCaptured, wrongPhase } from './open-cutover.js'
import { writeReceipt } from './receipt.js'
import { type Attempted, repeatTries } from './repeat-tries.js'

/** In ms: see `repeatTries`. */
export const PAUSE_MS = 3_000

/**
 * Flips there and back again in one transaction, which is rolled back, and times it: what the way back would take.
 * Changes nothing but the receipt. SHARE ROW EXCLUSIVE on the table, within the bound.
 *
 * @throws UsageError EW_PHASE in `legacy` and `complete`; DatabaseError EW_LOCK_BUSY where no try got the lock;
 * GateError EW_CAPTURE_BROKEN; StoppedError EW_STOPPED
 */
export async function rehearse(
  database: Database,
  definition: AggregateDefinition,
  options: CutoverOptions = {},
): Promise<CutoverResult> {
  const { cutover, captured } = await database.session(async (session) => ({
    cutover: await openCutover(session, definition, options),
    captured: await readCaptured(session, definition.name),
  }))
  const { table } = cutover
  if (captured === null || !captured.on)
    throw wrongPhase(
      table,
      'it is not captured, so there is nothing to rehearse',
      `Run \`eventward capture on ${shellWord(table)}\`.`,
    )
  if (captured.phase === 'complete')
    throw wrongPhase(
      table,
      'it is complete: its way back is closed',
      'There is nothing to rehearse any more.',
    )
  const { run, tried } = await rehearsed(database, cutover, captured, options)
  return {
    table,
    action: 'rehearse',
    ok: true,
    from: captured.phase,
    to: captured.phase,
    since: captured.phaseSince,
    attempts: tried.attempts,
    lockedMs: tried.lockedMs,
    longestWaitMs: tried.longestWaitMs,
    gate: [],
    reverified: null,
    differences: [],
    run,
  }
}

/** The rehearsal alone, with its receipt: advance runs it after the other gates. */
export async function rehearsed(
  database: Database,
  cutover: Cutover,
  captured: Captured,
  options: CutoverOptions,
): Promise<{ readonly run: string; readonly tried: Attempted<true> }> {
  const { table } = cutover
  try {
    const tried = await repeatTries(table, options, { pauseMs: options.pauseMs ?? PAUSE_MS }, (_, late) =>
      database.session((session) => once(session, cutover, captured, { ...options, late })),
    )
    if (tried.result === null) throw lockBusy(table, tried)
    const { attempts, lockedMs, longestWaitMs } = tried
    const outcome = { result: 'rehearsed', phase: captured.phase, attempts, lockedMs, longestWaitMs }
    return { run: await receipt(database, cutover, outcome), tried }
  } catch (error) {
    if (error instanceof GateError || (error instanceof DatabaseError && error.code === 'EW_LOCK_BUSY'))
      await receipt(database, cutover, { result: 'failed', error: error.message })
    throw error
  }
}

function receipt(database: Database, cutover: Cutover, outcome: Readonly<Record<string, unknown>>) {
  return database.session((session) =>
    session.transaction({}, () => writeReceipt(session, cutover, 'rehearse', outcome)),
  )
}

async function once(
  session: Session,
  cutover: Cutover,
  { phase }: Captured,
  { lockTimeoutMs = 400, late }: CutoverOptions & { readonly late: boolean },
): Promise<Tried<true>> {
  const { schema, name } = cutover.definition.table
  const there: Phase = phase === 'dual_write' ? 'event_first' : 'dual_write'
  return lockedTry<true>(
    session,
    { schema, table: name, boundMs: lockTimeoutMs, commit: false, late },
    async (session, bounded) => {
      await bounded()
      await session.execute(sql`
        update eventward.captures
        set direct_writes = ${cutover.definition.directWrites}::text
        where aggregate_type = ${cutover.definition.name}::text`)
      await flip(session, cutover, there)
      await bounded()
      await flip(session, cutover, phase)
      return true
    },
  )
}

/** What is said where no try got through. Nothing was changed. */
export function lockBusy(table: string, { attempts, why }: Attempted<unknown>): DatabaseError {
  const next = why?.includes('autovacuum')
    ? 'An autovacuum yields after deadlock_timeout: run it again with --lock-timeout 3000 (writers may wait so long), or once the autovacuum has ended.'
    : 'Run it again once that has ended, or end it yourself (we never do): select pg_terminate_backend(pid).'
  return new DatabaseError(
    'EW_LOCK_BUSY',
    `${table}: ${attempts} ${attempts === 1 ? 'try' : 'tries'} gave up, the last ${why ?? 'in vain'}; nothing was changed`,
    { next, details: { table, attempts, why } },
  )
}
