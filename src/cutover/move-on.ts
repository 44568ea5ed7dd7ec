import type { Database, Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { GateError, shellWord } from '../errors/index.js'
import type { Mark } from '../sql/index.js'
import { catchUp } from './catch-up.js'
import type { CutoverOptions, CutoverResult, GateCheck } from './cutover-result.js'
import { Differs, flipProven, Moved, type Step } from './flip-proven.js'
import { checkGate, opens } from './gate.js'
import { lockedTry } from './locked-try.js'
import { type Captured, type Cutover, openCutover, readCaptured, wrongPhase } from './open-cutover.js'
import { readFacts } from './read-facts.js'
import { type OpenReceipt, openReceipt, writeReceipt } from './receipt.js'
import { lockBusy, PAUSE_MS, rehearsed } from './rehearse.js'
import { repeatTries } from './repeat-tries.js'

/**
 * The gate, the rehearsal (for advance), and tries to flip: what was written since the proof is verified without a lock
 * until few streams are left; then SHARE ROW EXCLUSIVE, those few, the flip and its receipt, all within the bound.
 * A refusal and a difference are results, not errors.
 *
 * @throws UsageError EW_PHASE; GateError EW_CAPTURE_BROKEN, EW_GATE_MOVED; DatabaseError EW_LOCK_BUSY; StoppedError
 * EW_STOPPED
 */
export async function moveOn(
  database: Database,
  definition: AggregateDefinition,
  step: Step,
  options: CutoverOptions,
): Promise<CutoverResult> {
  const cutover = await database.session((session) => openCutover(session, definition, options))
  const look = () => database.session((session) => lookAt(session, cutover, step, options))
  let seen = await look()
  if (reached(seen, step)) return { ...standing(cutover, step, seen), ok: true }
  refuseOtherPhase(cutover, step, seen)
  if (!opens(seen.gate)) return refused(database, cutover, step, seen)
  if (step.action === 'advance' && seen.captured !== null) {
    await rehearsed(database, cutover, seen.captured, options)
    seen = await look()
    if (!seen.gate.every(({ ok }) => ok)) return refused(database, cutover, step, seen)
  }
  for (let looks = 1; ; looks += 1) {
    try {
      return await tryToFlip(database, cutover, step, seen, options)
    } catch (error) {
      if (error instanceof Differs) return differs(database, cutover, step, seen, error)
      if (!(error instanceof Moved)) throw error
      // Between the gate and the lock something came: another verify, DDL, a process that was faster.
      seen = await look()
      if (reached(seen, step)) return { ...standing(cutover, step, seen), ok: true }
      if (!seen.gate.every(({ ok }) => ok)) return refused(database, cutover, step, seen)
      if (looks === LOOKS) throw gateMoved(cutover.table, step)
    }
  }
}

/** Where something comes between again and again, whoever runs this is told. */
const LOOKS = 3

/** What the gate said, of what. */
interface Seen {
  readonly captured: Captured | null
  readonly gate: readonly GateCheck[]
}

async function lookAt(
  session: Session,
  cutover: Cutover,
  step: Step,
  { freshnessSeconds = 3_600 }: CutoverOptions,
): Promise<Seen> {
  const captured = await readCaptured(session, cutover.definition.name)
  const gate = checkGate(await readFacts(session, cutover, captured, freshnessSeconds))
  // Complete closes the way back: nobody will go it any more.
  const asked = step.action === 'complete' ? gate.filter(({ name }) => name !== 'way_back') : gate
  return { captured, gate: asked }
}

async function tryToFlip(
  database: Database,
  cutover: Cutover,
  step: Step,
  { captured, gate }: Seen,
  options: CutoverOptions,
): Promise<CutoverResult> {
  const { table, definition } = cutover
  const { proof } = captured as Captured
  if (proof?.mark == null) throw new Moved()
  let mark: Mark = proof.mark
  const sum = { streams: 0, events: 0 }
  const boundMs = options.lockTimeoutMs ?? 400
  const work = { schema: definition.table.schema, table: definition.table.name, boundMs }

  const tried = await repeatTries(
    table,
    options,
    { pauseMs: options.pauseMs ?? PAUSE_MS },
    async (attempt, late) => {
      const caught = await catchUp(database, cutover, mark, options)
      if (caught.found.length > 0) throw new Differs(caught.found)
      mark = caught.mark
      sum.streams += caught.streams
      sum.events += caught.events
      const once = await database.session((session) => {
        let receipt: OpenReceipt
        const before = async () => {
          receipt = await openReceipt(session, cutover, step.action)
        }
        return lockedTry(session, { ...work, late, before }, (held, bounded) =>
          flipProven(held, bounded, { cutover, step, proof, mark, receipt, gate, attempt, before: sum }),
        )
      })
      if (once.done) {
        const { lockedMs, result } = once
        options.onProgress?.({ kind: 'locked', table, try: attempt, lockedMs, streams: result.streams })
      }
      return once
    },
  )
  if (tried.result === null) throw lockBusy(table, tried)
  const { streams, events, since, run } = tried.result
  return {
    ...standing(cutover, step, { captured, gate }),
    ok: true,
    to: step.to,
    since,
    attempts: tried.attempts,
    lockedMs: tried.lockedMs,
    longestWaitMs: tried.longestWaitMs,
    reverified: { streams: sum.streams + streams, events: sum.events + events },
    run,
  }
}

/** Where the table is already, whoever brought it there: run twice, a step ends where it ends run once. */
function reached({ captured }: Seen, { action, to }: Step): boolean {
  return captured?.phase === to || (action === 'advance' && captured?.phase === 'complete')
}

function refuseOtherPhase({ table }: Cutover, { action, from }: Step, { captured }: Seen): void {
  // A table that isn't captured is refused by the gate, line by line.
  if (captured === null || !captured.on || captured.phase === from) return
  throw wrongPhase(
    table,
    `${action} leads on from ${from}, and it is ${captured.phase}`,
    `Look at \`eventward cutover ${shellWord(table)} status\`.`,
  )
}

function standing({ table }: Cutover, { action }: Step, { captured, gate }: Seen): CutoverResult {
  const phase = captured?.phase ?? 'legacy'
  return {
    table,
    action,
    ok: false,
    from: phase,
    to: phase,
    since: captured?.phaseSince ?? null,
    attempts: 0,
    lockedMs: null,
    longestWaitMs: 0,
    gate,
    reverified: null,
    differences: [],
    run: null,
  }
}

async function refused(database: Database, cutover: Cutover, step: Step, seen: Seen): Promise<CutoverResult> {
  const result = standing(cutover, step, seen)
  const outcome = { result: 'refused', from: result.from, to: step.to, gate: seen.gate }
  const run = await database.session((session) =>
    session.transaction({}, () => writeReceipt(session, cutover, step.action, outcome)),
  )
  return { ...result, run }
}

/** Stored as mismatches, so that the gate stays closed until they are gone. */
async function differs(
  database: Database,
  cutover: Cutover,
  step: Step,
  seen: Seen,
  { found }: Differs,
): Promise<CutoverResult> {
  const result = standing(cutover, step, seen)
  return database.session(async (session) => {
    const outcome = { result: 'failed', from: result.from, to: step.to, differences: String(found.length) }
    const run = await session.transaction({}, () => writeReceipt(session, cutover, step.action, outcome))
    return { ...result, run, differences: await cutover.set.keep(session, run, found) }
  })
}

function gateMoved(table: string, { action }: Step): GateError {
  return new GateError(
    'EW_GATE_MOVED',
    `${table}: what the gate had looked at was changed before the lock was there; nothing was flipped`,
    { next: `Run \`eventward cutover ${shellWord(table)} ${action}\` again.`, details: { table } },
  )
}
