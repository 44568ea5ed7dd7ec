import type { Session } from '../db/index.js'
import { type Mark, type Query, sql } from '../sql/index.js'

/** The phases of a captured table. One that isn't captured is `legacy`. */
export type CapturedPhase = 'dual_write' | 'event_first' | 'complete'

/** What is kept about a table that is, or was, captured. Bookkeeping: what writers do is in the triggers. */
export interface Capture {
  readonly aggregateType: string
  readonly schema: string
  readonly table: string
  readonly relid: string
  readonly slug: string
  readonly state: 'on' | 'off'
  /** One more at each on and off: a backfill made under another one counts for nothing. */
  readonly epoch: string
  readonly phase: CapturedPhase
  readonly directWrites: 'capture' | 'refuse'
  readonly definitionHash: string
  /** Id of the row shape that its functions were compiled for: 12 hex digits. */
  readonly rowShape: string
  /** OID of the partition of events into which its triggers write. */
  readonly partition: string
  /** timestamptz text in UTC: when capture was last turned on or off. */
  readonly since: string | null
  /** timestamptz text in UTC. */
  readonly phaseSince: string | null
}

/** The capture of an aggregate's table, or null where it never was captured. Takes no lock. */
export async function readCapture(session: Session, aggregateType: string): Promise<Capture | null> {
  return first(session, sql`where aggregate_type = ${aggregateType}::text`)
}

/** The capture of a table, whatever its aggregate is named; one that is on before one that is off. */
export async function readCaptureOfTable(
  session: Session,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<Capture | null> {
  return first(
    session,
    sql`where table_schema = ${schema}::text and table_name = ${table}::text order by state = 'on' desc limit 1`,
  )
}

/** What `captureOn` writes. */
export type NewCapture = Pick<
  Capture,
  | 'aggregateType'
  | 'schema'
  | 'table'
  | 'relid'
  | 'slug'
  | 'directWrites'
  | 'definitionHash'
  | 'rowShape'
  | 'partition'
>

/**
 * Notes that capture is on, within the transaction that puts the triggers on. `anew`: writes may have passed unseen
 * before this, so the epoch moves on; else the triggers were there all along, and epoch, phase and `since` stay.
 */
export async function writeCaptureOn(session: Session, capture: NewCapture, anew: boolean): Promise<void> {
  const { aggregateType, schema, table, relid, slug, directWrites, definitionHash, rowShape, partition } =
    capture
  await session.execute(sql`
    insert into eventward.captures as c (aggregate_type, table_schema, table_name, relid, slug, state, epoch, phase,
      direct_writes, definition_hash, row_shape, partition, since, phase_since)
    values (${aggregateType}::text, ${schema}::text, ${table}::text, ${relid}::oid, ${slug}::text, 'on', 1, 'dual_write',
      ${directWrites}::text, ${definitionHash}::text, ${rowShape}::text, ${partition}::oid, clock_timestamp(),
      clock_timestamp())
    on conflict (aggregate_type) do update
    set table_schema = excluded.table_schema, table_name = excluded.table_name, relid = excluded.relid,
      slug = excluded.slug, state = 'on', direct_writes = excluded.direct_writes,
      definition_hash = excluded.definition_hash, row_shape = excluded.row_shape, partition = excluded.partition,
      epoch = c.epoch + case when ${String(anew)}::boolean then 1 else 0 end,
      phase = case when c.state = 'on' then c.phase else 'dual_write' end,
      since = case when ${String(anew)}::boolean then excluded.since else c.since end,
      phase_since = case when c.state = 'on' then c.phase_since else excluded.phase_since end`)
  if (anew) await clearProof(session, aggregateType)
}

/** Notes that capture is off, within the transaction that takes the triggers off. */
export async function writeCaptureOff(session: Session, aggregateType: string): Promise<void> {
  await session.execute(sql`
    update eventward.captures
    set state = 'off', epoch = epoch + 1, phase = 'dual_write', since = clock_timestamp(),
      phase_since = clock_timestamp()
    where aggregate_type = ${aggregateType}::text`)
  await clearProof(session, aggregateType)
}

/** A full, clean verify that nothing came between. */
export interface Proof {
  readonly run: string
  /** What the table was, from its start to its end. */
  readonly fingerprint: string
  readonly definitionHash: string
  /** All that this doesn't see was written afterwards. */
  readonly mark: Mark
}

/**
 * Keeps others from ending a verify of the same table, or turning capture on or off, until the transaction ends: what is
 * looked at behind it stays so. Locks the capture's row.
 */
export async function lockCapture(session: Session, aggregateType: string): Promise<void> {
  await session.execute(sql`
    select
    from eventward.captures
    where aggregate_type = ${aggregateType}::text
    for no key update`)
}

/** Keeps a proof as the one that stands. */
export async function writeProof(session: Session, aggregateType: string, proof: Proof): Promise<void> {
  const { run, fingerprint, definitionHash, mark } = proof
  await session.execute(sql`
    update eventward.captures
    set verified_run = ${run}::bigint, verified_fingerprint = ${fingerprint}::text,
      verified_at = clock_timestamp(), verified_snapshot = ${mark.snapshot}::pg_snapshot,
      verified_horizon = ${mark.horizon}::bigint, verified_hash = ${definitionHash}::text
    where aggregate_type = ${aggregateType}::text`)
}

/** Forgets the proof that stands. */
export async function clearProof(session: Session, aggregateType: string): Promise<void> {
  await session.execute(sql`
    update eventward.captures
    set verified_run = null, verified_fingerprint = null, verified_at = null, verified_snapshot = null,
      verified_horizon = null, verified_hash = null
    where aggregate_type = ${aggregateType}::text
      and verified_run is not null`)
}

async function first(session: Session, where: Query): Promise<Capture | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select aggregate_type, table_schema, table_name, relid, slug, state, epoch, phase, direct_writes, definition_hash,
      row_shape, partition, since, phase_since
    from eventward.captures
    ${where}`)
  if (row === undefined) return null
  return {
    aggregateType: row['aggregate_type']!,
    schema: row['table_schema']!,
    table: row['table_name']!,
    relid: row['relid']!,
    slug: row['slug']!,
    state: row['state'] as Capture['state'],
    epoch: row['epoch']!,
    phase: row['phase'] as CapturedPhase,
    directWrites: row['direct_writes'] as Capture['directWrites'],
    definitionHash: row['definition_hash']!,
    rowShape: row['row_shape']!,
    partition: row['partition']!,
    since: row['since'] ?? null,
    phaseSince: row['phase_since'] ?? null,
  }
}
