import type { CaptureStatus } from '../capture/index.js'
import { shellWord } from '../errors/index.js'
import type { LastBackfill, LastVerify } from './last-runs.js'

/** What is known of a table when the next step is asked for. */
export interface Known {
  readonly migrated: boolean
  /** There is such a table. */
  readonly exists: boolean
  readonly capture: CaptureStatus | null
  readonly backfill: LastBackfill | null
  readonly verify: LastVerify | null
  readonly openDifferences: string | null
  /** What is the matter with its definition. */
  readonly ofDefinition: readonly { readonly next: string }[]
  /** Writes that could not be stored as events. */
  readonly incomplete: string
  /** The verify whose proof stands. */
  readonly provenBy: string | null
}

/** The command that leads on from where a table is: capture, backfill, verify, advance. Pure. */
export function nextStep(table: string, known: Known): string {
  const { migrated, exists, capture, backfill, verify, openDifferences, provenBy } = known
  const shown = shellWord(table)
  if (!exists) return 'eventward generate'
  if (!migrated) return 'eventward migrate up'
  const [problem] = [...(capture?.problems ?? []), ...known.ofDefinition]
  if (problem !== undefined) return problem.next
  const on = capture?.capture === 'on'
  if (on && capture.phase !== 'dual_write') return `eventward cutover ${shown} status`
  // Beside no capture, a backfill is a first look: it's ended, verified, and then begun in earnest.
  if (!on && backfill === null) return `eventward capture on ${shown}`
  const counts = backfill?.complete === true && (!on || backfill.capture === capture.epoch)
  if (!counts) return `eventward backfill ${shown}`
  if (openDifferences !== null && openDifferences !== '0') return `eventward verify ${shown} --open`
  // A verify from before the last backfill proved other events.
  const clean = verify?.clean === true && BigInt(verify.run) > BigInt(backfill.run)
  if (!clean || known.incomplete !== '0' || (on && provenBy === null)) return `eventward verify ${shown}`
  // With the consent that it wants where nobody can be asked.
  return on ? `eventward cutover ${shown} advance --confirm ${shown}` : `eventward capture on ${shown}`
}
