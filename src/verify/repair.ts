import { setTimeout } from 'node:timers/promises'
import { type Database, type Session, sqlstateOf } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import type { RecognisedEvent } from '../recognise/index.js'
import { readCapture, registerDefinition } from '../store/index.js'
import { stopped } from './check-fully.js'
import { dataError } from './data-error.js'
import { type OpenMismatch, openMismatches } from './keep-mismatches.js'
import { removeGone } from './repair-gone.js'
import { isInTheWay, type RepairJob, readRepairLimits } from './repair-job.js'
import type { Repair, RepairEvent, RepairOutcome } from './repair-result.js'
import { lookAtRow, type Repaired, repairRow } from './repair-row.js'
import { touchedColumn } from './repair-touched.js'
import type { VerifyRun } from './verify.js'

/** Held at a time. */
const PAGE = 500
/** Ends of streams without a row, under one lock that holds writers: some 50 ms of it. */
const GONE_AT_ONCE = 20
/** With pauses in between, for locks of others to go. */
const TRIES = 4
const PAUSE_MS = 150

/**
 * Makes the streams of all open mismatches explain their rows, each in a transaction of its own: see `repairRow` and
 * `removeGone`. With `dryRun` it only says what it would append, in READ ONLY transactions. What is repaired is not
 * closed: that takes another look.
 *
 * @throws GateError EW_CAPTURE_DEFINITION, EW_CAPTURE_BROKEN, EW_VERIFY_MOVED, EW_RUN_DEFINITION; StoppedError EW_STOPPED
 */
export async function repair(
  database: Database,
  run: VerifyRun,
  { dryRun }: { readonly dryRun: boolean },
): Promise<readonly Repair[]> {
  return database.session(async (session) => {
    const job = await openRepair(session, run, dryRun)
    const done: Repair[] = []
    const seen = new Set<string>()
    let after = '0'
    for (;;) {
      const page = await openMismatches(session, run.source.model.name, { after, limit: PAGE })
      const fresh = page.filter(({ key }) => !seen.has(key) && seen.add(key))
      done.push(...(await repairPage(session, job, fresh, dryRun)))
      after = page.at(-1)?.id ?? after
      if (page.length < PAGE) return done.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    }
  })
}

/** The repair's events must mean something: a definition that isn't installed yet is installed, as the backfill does. */
async function openRepair(session: Session, run: VerifyRun, dryRun: boolean): Promise<RepairJob> {
  const { model, events } = run.source
  if (!dryRun) {
    await refuseCapturedOtherwise(session, run)
    await registerDefinition(session, model, events)
  }
  return {
    run,
    touched: await touchedColumn(session, run),
    limits: await readRepairLimits(session),
  }
}

async function repairPage(
  session: Session,
  job: RepairJob,
  page: readonly OpenMismatch[],
  dryRun: boolean,
): Promise<readonly Repair[]> {
  const done: Repair[] = []
  const gone: OpenMismatch[] = []
  for (const mismatch of page) {
    if (job.run.options.signal?.aborted === true) throw stopped(job.run)
    const result = await attempt(job, () => (dryRun ? lookAtRow : repairRow)(session, job, mismatch.key))
    if ('left' in result) done.push(left(job, mismatch, result.left))
    else if (result.plan.kind === 'delete' && !dryRun) gone.push(mismatch)
    else done.push(told(job, mismatch, result, dryRun ? 'would_repair' : 'repaired'))
  }
  for (let at = 0; at < gone.length; at += GONE_AT_ONCE) {
    if (job.run.options.signal?.aborted === true) throw stopped(job.run)
    done.push(...(await endStreams(session, job, gone.slice(at, at + GONE_AT_ONCE))))
  }
  return done
}

async function endStreams(
  session: Session,
  job: RepairJob,
  batch: readonly OpenMismatch[],
): Promise<readonly Repair[]> {
  const plans = await attempt(job, () =>
    removeGone(
      session,
      job,
      batch.map(({ key }) => key),
    ),
  )
  return batch.map((mismatch) => {
    if ('left' in plans) return left(job, mismatch, plans.left)
    const plan = plans.get(mismatch.key)
    return plan?.kind === 'delete'
      ? told(job, mismatch, { plan, further: [] }, 'repaired')
      : left(job, mismatch, { message: 'its row came back meanwhile', next: again(job) })
  })
}

interface Left {
  readonly message: string
  readonly next: string
}

/** Tries again where someone is in the way; what is about this row alone leaves it, and the others are gone on with. */
async function attempt<T extends object>(
  job: RepairJob,
  work: () => Promise<T>,
): Promise<T | { readonly left: Left }> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (isInTheWay(error)) {
        if (job.run.options.signal?.aborted === true) throw stopped(job.run)
        if (tries < TRIES) {
          await setTimeout(PAUSE_MS * (0.5 + Math.random()))
          continue
        }
        return {
          left: { message: `another transaction is in the way: ${words(error)}`, next: again(job) },
        }
      }
      const unreadable = dataError(error, job.run.source.model.columns)
      if (unreadable !== undefined) return { left: { message: unreadable, next: anew(job) } }
      // A constraint or a trigger of the table refuses the row as it is.
      if (/^(23|2F|38|39|P0)/.test(sqlstateOf(error) ?? '')) {
        return {
          left: {
            message: `the table refuses an update of the row to itself: ${words(error)}`,
            next: `Correct the row, then ${lower(again(job))}`,
          },
        }
      }
      throw error
    }
  }
}

function told(job: RepairJob, mismatch: OpenMismatch, done: Repaired, outcome: RepairOutcome): Repair {
  const { plan, further } = done
  if (plan.kind === 'unsound') return left(job, mismatch, { message: plan.message, next: anew(job) })
  if (plan.kind === 'nothing') return of(job, mismatch, 'gone')
  const events = [...plan.events, ...further]
  return {
    ...of(job, mismatch, outcome),
    events: events.map((event) => eventOf(event, job.run.options.keysOnly === true)),
  }
}

function eventOf(
  event: Pick<RecognisedEvent, 'type' | 'data' | 'occurredAt'> & { readonly inferred?: boolean },
  keysOnly: boolean,
): RepairEvent {
  const { type, data, occurredAt, inferred } = event
  return { type, ...(keysOnly ? {} : { data }), occurredAt: inferred === true ? null : occurredAt }
}

function left(job: RepairJob, mismatch: OpenMismatch, why: Left): Repair {
  return { ...of(job, mismatch, 'left'), ...why }
}

function of({ run: { table } }: RepairJob, { key, kind }: OpenMismatch, outcome: RepairOutcome): Repair {
  return { table, key, kind, outcome, events: [] }
}

function again({ run: { table } }: RepairJob): string {
  return `Run \`eventward verify ${shellWord(table)} --open --repair\` again.`
}

/** What is stored is never changed: a history that can't be folded is written anew, while rows are still the truth. */
function anew({ run: { table } }: RepairJob): string {
  const name = shellWord(table)
  return `Appending can't mend it. While the rows are the truth, write the table's events anew: \`eventward backfill ${name} --restart --confirm ${name}\`.`
}

function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

/** The server's own words. */
function words(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message : String(inner)
}

async function refuseCapturedOtherwise(session: Session, { source, table }: VerifyRun): Promise<void> {
  const capture = await readCapture(session, source.model.name)
  if (capture?.state !== 'on' || capture.definitionHash === source.model.hash) return
  throw new GateError(
    'EW_CAPTURE_DEFINITION',
    `${table} is captured under another definition than this one`,
    {
      next: `Run \`eventward capture on ${shellWord(table)}\`, then verify and repair it again.`,
      details: { table },
    },
  )
}
