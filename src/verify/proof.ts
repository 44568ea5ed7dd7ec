import type { Session } from '../db/index.js'
import { type Mark, sql } from '../sql/index.js'
import {
  type Capture,
  captureProblems,
  clearProof,
  lockCapture,
  type Partition,
  readCapture,
  readFingerprint,
  resolveIncomplete,
  restoredIncomplete,
  verifiedMark,
  writeProof,
} from '../store/index.js'
import type { VerifyRun } from './verify.js'
import type { VerifiedTable as VerifiedResult } from './verify-result.js'

/** What a full verify notes before it reads. */
export interface ProofStart {
  readonly capture: Capture | null
  readonly fingerprint: string | null
  readonly mark: Mark | null
  /** What was committed when it began. */
  readonly snapshot: string
  /** Notes of what is incomplete that were restored: up to this id. */
  readonly restored: string
}

/** Before the first range: what must still be so at the end, for the verify to count as proof. */
export async function beginProof(
  session: Session,
  { source }: Pick<VerifyRun, 'source'>,
  partition: Partition | null,
): Promise<ProofStart> {
  const { model, events } = source
  const capture = await readCapture(session, model.name)
  // Asked before the snapshot: what changes from here on is seen at the end.
  const fingerprint = await readFingerprint(session, model)
  const mark =
    capture?.state === 'on' && partition !== null ? await verifiedMark(session, events, partition) : null
  const { snapshot } =
    mark ?? (await session.one<{ snapshot: string }>(sql`select pg_current_snapshot() as snapshot`))
  return { capture, fingerprint, mark, snapshot, restored: await restoredIncomplete(session, model.name) }
}

/** Whether a verify counts as proof for a gate, and, where its table is captured, why it does not. */
export type ProofEnd = Pick<VerifiedResult, 'proof' | 'notice'>

/**
 * Ends a full verify, within the caller's transaction, which ends its run: a clean one that nothing came between becomes
 * the proof that stands, and closes what was incomplete when it began; a failed one takes away the proof that stood.
 *
 * Two that overlap end one after the other here: a clean one that read a row before another found it differing comes to
 * see that.
 */
export async function endProof(
  session: Session,
  run: Pick<VerifyRun, 'source' | 'id'>,
  start: ProofStart,
  clean: boolean,
): Promise<ProofEnd> {
  const { model } = run.source
  await lockCapture(session, model.name)
  if (!clean) {
    await clearProof(session, model.name)
    return NO_PROOF
  }
  const { open, failed } = await othersFound(session, run)
  if (open === '0' && failed === null) await resolveIncomplete(session, model.name, start)
  const { capture, fingerprint, mark } = start
  if (capture?.state !== 'on') return NO_PROOF
  const why =
    open !== '0'
      ? `${open} open differences remain`
      : failed !== null
        ? `run ${failed} found differences meanwhile`
        : await whatCameBetween(session, run, start)
  if (why !== null) return { proof: false, notice: `clean, but no proof for a gate: ${why}` }
  if (fingerprint === null || mark === null) return NO_PROOF
  await writeProof(session, model.name, { run: run.id, fingerprint, definitionHash: model.hash, mark })
  return { proof: true }
}

const NO_PROOF: ProofEnd = { proof: false }

/** Differences that are open, and a verify that failed since this one began. */
async function othersFound(session: Session, { source: { model }, id }: Pick<VerifyRun, 'source' | 'id'>) {
  return session.one<{ open: string; failed: string | null }>(sql`
    select (
        select count(*)
        from eventward.mismatches
        where aggregate_type = ${model.name}::text
          and resolved_at is null
      ) as open, (
        select max(id)
        from eventward.runs
        where command = 'verify'
          and table_schema = ${model.schema}::text
          and table_name = ${model.table}::text
          and state = 'complete'
          and outcome ->> 'result' = 'failed'
          and params ->> 'open' is distinct from 'true'
          and finished_at >= (select started_at from eventward.runs where id = ${id}::bigint)
      ) as failed`)
}

async function whatCameBetween(
  session: Session,
  { source: { model } }: Pick<VerifyRun, 'source'>,
  { capture, fingerprint }: ProofStart,
): Promise<string | null> {
  const now = await readCapture(session, model.name)
  if (now?.state !== 'on' || now.epoch !== capture?.epoch) return 'capture was turned off meanwhile'
  if (now.definitionHash !== model.hash) return 'its triggers were made from another definition'
  const [problem] = await captureProblems(session, model.name)
  if (problem !== undefined) return 'capture is not whole (see eventward capture status)'
  if ((await readFingerprint(session, model)) !== fingerprint) {
    return 'the table, a trigger or a partition of it was changed meanwhile'
  }
  return null
}
