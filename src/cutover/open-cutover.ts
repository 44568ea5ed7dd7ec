import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { type Mark, sql } from '../sql/index.js'
import { requireEventsTable } from '../store/index.js'
import { openStreamSet, type StreamSet } from '../verify/index.js'
import type { CutoverOptions, Phase } from './cutover-result.js'

/** A table whose phase is asked about or changed. */
export interface Cutover {
  readonly definition: AggregateDefinition
  /** `name` in public, `schema.name` elsewhere. */
  readonly table: string
  readonly events: EventsTable
  /** Verifies what was written since a mark. */
  readonly set: StreamSet
}

/** What is kept about a captured table; null where it was never captured. */
export interface Captured {
  readonly on: boolean
  readonly relid: string
  readonly phase: Phase
  /** timestamptz text in UTC. */
  readonly phaseSince: string | null
  readonly since: string | null
  readonly epoch: string
  readonly definitionHash: string
  readonly directWrites: string
  readonly proof: Proof | null
}

/** The proof that stands: a full, clean verify. */
export interface Proof {
  readonly run: string
  readonly fingerprint: string
  readonly definitionHash: string
  readonly ageSeconds: number
  /** All that this doesn't see was written afterwards; null where the verify took none. */
  readonly mark: Mark | null
}

/**
 * Binds a definition for a cutover.
 *
 * @throws UsageError EW_NOT_MIGRATED and those of `bindAggregate`
 */
export async function openCutover(
  session: Session,
  definition: AggregateDefinition,
  { events }: Pick<CutoverOptions, 'events'>,
): Promise<Cutover> {
  const set = await openStreamSet(session, definition, events)
  return { definition, table: set.table, events: await requireEventsTable(session, events), set }
}

/** Reads what is kept about the capture of an aggregate's table. */
export async function readCaptured(session: Session, aggregateType: string): Promise<Captured | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select state, relid, phase, phase_since, since, epoch, definition_hash, direct_writes,
      verified_run, verified_fingerprint, verified_hash, verified_snapshot, verified_horizon,
      extract(epoch from clock_timestamp() - verified_at)::bigint as verified_age
    from eventward.captures
    where aggregate_type = ${aggregateType}::text`)
  if (row === undefined) return null
  const on = row['state'] === 'on'
  return {
    on,
    relid: row['relid']!,
    phase: on ? (row['phase'] as Phase) : 'legacy',
    phaseSince: on ? row['phase_since']! : null,
    since: row['since']!,
    epoch: row['epoch']!,
    definitionHash: row['definition_hash']!,
    directWrites: row['direct_writes']!,
    proof: proofOf(row),
  }
}

function proofOf(row: Readonly<Record<string, string | null>>): Proof | null {
  const [run, fingerprint] = [row['verified_run'], row['verified_fingerprint']]
  if (run == null || fingerprint == null) return null
  const [snapshot, horizon] = [row['verified_snapshot'], row['verified_horizon']]
  return {
    run,
    fingerprint,
    definitionHash: row['verified_hash'] ?? '',
    ageSeconds: Number(row['verified_age']),
    mark: snapshot == null ? null : { snapshot, horizon: horizon ?? '0' },
  }
}

/** A step that doesn't lead on from where the table is. Nothing was changed. */
export function wrongPhase(table: string, what: string, next: string): UsageError {
  return new UsageError('EW_PHASE', `${table}: ${what}`, { next, details: { table } })
}
