import { shapeId } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import type { RecognisedEvent } from '../recognise/index.js'
import { compileAppendEvents, compileLockRow, compileTouchRow, sql } from '../sql/index.js'
import { readCapture, toolVersion } from '../store/index.js'
import { inSnapshot } from './in-snapshot.js'
import { type Pair, readPair } from './read-pair.js'
import { type RepairJob, repairTransaction } from './repair-job.js'
import { planRepair, type RepairPlan, readSpellings } from './repair-plan.js'

/** What was done to one stream, or would be. */
export interface Repaired {
  readonly plan: RepairPlan
  /** Events beyond the plan's: what legacy triggers changed when the row was updated to itself. */
  readonly further: readonly { readonly type: string; readonly data: string; readonly occurredAt: string }[]
}

/** What a repair of this stream would do, in a READ ONLY transaction. Raises class 22 where the id is none of the key. */
export async function lookAtRow(
  session: Session,
  { run: { source } }: RepairJob,
  id: string,
): Promise<Repaired> {
  const pair = await inSnapshot(session, source, () => readPair(session, source, id))
  const spellings = await readSpellings(session, source.model, pair)
  const plan = await inSnapshot(session, source, () => planRepair(session, source, pair, spellings))
  return { plan, further: [] }
}

/**
 * Makes a stream explain its row, in one READ COMMITTED transaction: locks the row FOR NO KEY UPDATE, so that no other
 * writer comes between, appends the events from fold to row, and updates the row to itself, so that a writer with an
 * older snapshot meets an ordinary serialization failure and not our unique index.
 *
 * Where the table is captured the trigger of that update appends: the events are announced to it, and what legacy
 * triggers change on the way follows as a `Changed` of its own. A row without a live stream gets its creation from it.
 *
 * A row that is gone is left to `removeGone`: its plan is `delete`, and nothing was done.
 */
export async function repairRow(session: Session, job: RepairJob, id: string): Promise<Repaired> {
  const { source } = job.run
  const { model } = source
  const before = await inSnapshot(session, source, () => readPair(session, source, id))
  const spellings = await readSpellings(session, model, before)
  return repairTransaction(session, job, 'row exclusive', async () => {
    await session.rows(compileLockRow(source, id))
    const pair = await readPair(session, source, id)
    const plan = await planRepair(session, source, pair, spellings)
    if (plan.kind !== 'create' && plan.kind !== 'change') return { plan, further: [] }
    if (await isCaptured(session, job)) await announce(session, job, pair, plan)
    else await append(session, job, id, plan.events)
    await touch(session, job, id)
    const after = (await readPair(session, source, id)).events.slice(pair.events.length)
    return { plan, further: after.slice(plan.events.length) }
  })
}

/** Capture can't be turned on or off while we hold ROW EXCLUSIVE of the table. */
async function isCaptured(session: Session, { run: { source, table } }: RepairJob): Promise<boolean> {
  const { model } = source
  const capture = await readCapture(session, model.name)
  if (capture === null || capture.state !== 'on') return false
  if (capture.definitionHash === model.hash) return true
  throw new GateError(
    'EW_CAPTURE_DEFINITION',
    `${table} is captured under another definition than this one`,
    {
      next: `Run \`eventward capture on ${shellWord(table)}\`, then verify and repair it again.`,
      details: { table, captured: capture.definitionHash, now: model.hash },
    },
  )
}

/**
 * Says to the trigger what it shall append. Of a creation it's told nothing: it writes the row as it was, as it does
 * for every row that it meets without a live stream.
 */
async function announce(
  session: Session,
  job: RepairJob,
  { id, row }: Pair,
  plan: Extract<RepairPlan, { kind: 'create' | 'change' }>,
): Promise<void> {
  const events = plan.kind === 'create' ? [] : plan.events.map(announced)
  const said = `{"type":${JSON.stringify(job.run.source.model.name)},"id":${JSON.stringify(id)},"metadata":${metadataOf(job)},"events":[${events.join(',')}],"image":${JSON.stringify(row)}}`
  await session.execute(sql`
    select set_config('eventward.announced', ${said}::text, true),
      set_config('eventward.metadata', ${JSON.stringify({ repair: job.run.id })}::text, true)`)
}

/** `data` is JSON text and stays it: no number of it passes through JavaScript. */
function announced({ type, schemaVersion, data, occurredAt, inferred }: RecognisedEvent): string {
  const at = inferred ? 'null' : JSON.stringify(occurredAt)
  return `{"type":${JSON.stringify(type)},"schemaVersion":${schemaVersion},"data":${data},"occurredAt":${at}}`
}

/**
 * Appends behind a stream's last event.
 *
 * @throws GateError EW_VERSION_TAKEN where another writer (the backfill) was first: nothing of ours may stay.
 */
export async function append(
  session: Session,
  job: RepairJob,
  id: string,
  events: readonly RecognisedEvent[],
): Promise<void> {
  const { model, events: table } = job.run.source
  const metadata = metadataOf(job)
  const appended = await session.execute(
    compileAppendEvents(
      model,
      table,
      id,
      events.map((event) => ({ ...event, metadata })),
    ),
  )
  if (appended === events.length) return
  throw new GateError(
    'EW_VERSION_TAKEN',
    `${job.run.table}: another writer has just written events of ${id}`,
    {
      next: 'Run it again.',
      details: { table: job.run.table, key: id },
    },
  )
}

function metadataOf({ run: { id, source } }: RepairJob): string {
  return JSON.stringify({
    source: 'repair',
    run: id,
    definition: source.model.hash.slice(0, 12),
    shape: shapeId(source.model),
    writer: `eventward/${toolVersion()}`,
  })
}

/**
 * Updates the row to itself and sees to it that the announcement was used up: else nothing was appended, since some
 * trigger of the table keeps ours from it.
 */
async function touch(session: Session, job: RepairJob, id: string): Promise<void> {
  const { source, table } = job.run
  await session.execute(compileTouchRow(source, id, job.touched))
  const { left } = await session.one<{ left: string }>(sql`
    select coalesce(current_setting('eventward.announced', true), '') as left`)
  if (left === '') return
  throw new GateError(
    'EW_CAPTURE_BROKEN',
    `${table}: the row ${id} was updated, and its capture trigger did not run`,
    {
      next: `Run \`eventward capture status ${shellWord(table)}\`, then \`eventward capture on ${shellWord(table)}\`.`,
      details: { table, key: id },
    },
  )
}
