import { type Session, sqlstateOf } from '../db/index.js'
import { type Mark, qualified, sql } from '../sql/index.js'
import type { Found } from '../verify/index.js'
import type { GateCheck } from './cutover-result.js'
import { flip } from './flip.js'
import { GaveUp } from './locked-try.js'
import type { Cutover, Proof } from './open-cutover.js'
import type { OpenReceipt } from './receipt.js'

/** A step forward. */
export type Step =
  | { readonly action: 'advance'; readonly from: 'dual_write'; readonly to: 'event_first' }
  | { readonly action: 'complete'; readonly from: 'event_first'; readonly to: 'complete' }

export interface FlipInput {
  readonly cutover: Cutover
  readonly step: Step
  /** The proof that the gate looked at. */
  readonly proof: Proof
  /** All that came before it is verified. */
  readonly mark: Mark
  /** For the receipt: what the gate said, and what was verified again without a lock. */
  readonly gate: readonly GateCheck[]
  readonly receipt: OpenReceipt
  readonly attempt: number
  readonly before: { readonly streams: number; readonly events: number }
}

export interface Flipped {
  readonly streams: number
  readonly events: number
  /** timestamptz text in UTC. */
  readonly since: string
  readonly run: string
}

/** Some stream doesn't fold to its row. */
export class Differs extends Error {
  constructor(readonly found: readonly Found[]) {
    super('differs')
  }
}

/** The gate looked at something else than what is there under the lock. */
export class Moved extends Error {}

/**
 * Within a transaction that holds SHARE ROW EXCLUSIVE: looks once more whether the proof stands, verifies what was
 * written since the mark, flips, moves the proof's mark to this moment and writes the receipt.
 *
 * @throws Differs, Moved, GaveUp
 */
export async function flipProven(
  session: Session,
  bounded: () => Promise<void>,
  input: FlipInput,
): Promise<Flipped> {
  const { cutover, step, mark } = input
  await bounded()
  if (!(await stillProven(session, input))) throw new Moved()
  const { streams, events, found } = await checkTouched(session, cutover, mark)
  if (found.length > 0) throw new Differs(found)
  await bounded()
  await session.execute(sql`
    update eventward.captures
    set direct_writes = ${cutover.definition.directWrites}::text
    where aggregate_type = ${cutover.definition.name}::text`)
  await flip(session, cutover, step.to)
  const since = await moveMark(session, cutover)
  await input.receipt.close(session, {
    result: 'done',
    from: step.from,
    to: step.to,
    attempts: input.attempt,
    streams: String(input.before.streams + streams),
    events: String(input.before.events + events),
    streamsUnderLock: String(streams),
    gate: input.gate,
  })
  return { streams, events, since, run: input.receipt.id }
}

async function stillProven(session: Session, { cutover, step, proof }: FlipInput): Promise<boolean> {
  const [row] = await session.rows<{ proven: string }>(sql`
    select c.state = 'on'
        and c.phase = ${step.from}::text
        and c.definition_hash = ${cutover.set.model.hash}::text
        and c.verified_run = ${proof.run}::bigint
        and c.verified_fingerprint = eventward.fingerprint(c.relid)
        and not exists (
          select
          from eventward.mismatches m
          where m.aggregate_type = c.aggregate_type
            and m.resolved_at is null)
        and not exists (
          select
          from eventward.incomplete i
          where i.aggregate_type = c.aggregate_type
            and i.resolved_at is null) as proven
    from eventward.captures c
    where c.aggregate_type = ${cutover.definition.name}::text`)
  return row?.proven === 't'
}

/** What can't be read under the lock is looked at again without it, where there is time to find out which stream it is. */
async function checkTouched(session: Session, { set }: Cutover, mark: Mark) {
  try {
    return await set.checkLocked(session, mark)
  } catch (error) {
    if (/^(22|54)/.test(sqlstateOf(error) ?? '')) throw new GaveUp('with a stream that can not be read')
    throw error
  }
}

/**
 * Under the lock every event of the table is visible, and whoever writes the next one hasn't drawn its position yet: the
 * sequence's last one is an exact horizon.
 */
async function moveMark(session: Session, { definition, events }: Cutover): Promise<string> {
  const { since } = await session.one<{ since: string }>(sql`
    update eventward.captures
    set verified_snapshot = pg_current_snapshot(),
      verified_horizon = coalesce(pg_sequence_last_value(pg_get_serial_sequence(
        ${qualified(events.schema, events.table)}::text, 'position')::regclass), 0)
    where aggregate_type = ${definition.name}::text
    returning phase_since as since`)
  return since
}
