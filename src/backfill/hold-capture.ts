import type { Session } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import { type Capture, readCapture } from '../store/index.js'
import type { BackfillJob } from './backfill-job.js'

/** The epoch of a capture that is on; null where writes are not captured. Pure. */
export function epochOf(capture: Capture | null): string | null {
  return capture?.state === 'on' ? capture.epoch : null
}

/**
 * Asked by each slice between its lock on the table and its snapshot: whether the capture beside which the run was begun
 * is on, and that very one. Capture off takes ACCESS EXCLUSIVE, so what is answered under our lock holds until it ends;
 * off and on again, rows may have been written that neither a trigger nor a later slice sees.
 *
 * @throws GateError EW_CAPTURE_EPOCH
 */
export async function holdCapture(session: Session, job: BackfillJob): Promise<void> {
  if (job.capture === null) return
  const capture = await readCapture(session, job.model.name)
  if (epochOf(capture) === job.capture) return
  const off = capture?.state !== 'on'
  throw new GateError(
    'EW_CAPTURE_EPOCH',
    `${job.tableName}: capture was turned off${off ? '' : ' and on again'} while run ${job.run.id} was at work: rows written meanwhile are in no event; the run ended`,
    {
      next: off
        ? `Turn it on (\`eventward capture on ${shellWord(job.tableName)}\`), then run \`eventward backfill ${shellWord(job.tableName)}\` again: it begins anew.`
        : `Run \`eventward backfill ${shellWord(job.tableName)}\` again: it begins anew.`,
      details: { table: job.tableName, run: job.run.id, begun: job.capture, now: capture?.epoch ?? null },
    },
  )
}

/**
 * Refuses a definition that is not the one from which the triggers were made: streams begun by the one and gone on with
 * by the other would tell two stories.
 *
 * @throws GateError EW_CAPTURE_DEFINITION
 */
export function refuseOtherCapture(capture: Capture | null, hash: string, table: string): void {
  if (capture?.state !== 'on' || capture.definitionHash === hash) return
  throw new GateError(
    'EW_CAPTURE_DEFINITION',
    `${table}: its triggers were made from another definition (${capture.definitionHash.slice(0, 12)}, now ${hash.slice(0, 12)})`,
    {
      next: `Run \`eventward capture on ${shellWord(table)}\` again, then this.`,
      details: { table, captured: capture.definitionHash, now: hash },
    },
  )
}
