import type { Knex } from 'knex'
import { EventwardError, UsageError } from '../errors/index.js'
import { QUEUE_SCHEMA } from '../migrate/index.js'
import {
  type AppendedEvent,
  connectionOf,
  EVENT_COLUMNS,
  type EventGround,
  readEvents,
  readingSession,
  withContext,
} from '../runtime/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { causedBy } from './attach.js'
import { type Dispatcher, reactsTo } from './define-dispatcher.js'
import { advanceStream, isNext } from './in-order.js'
import type { Reactor } from './reactor.js'

/** What a job says. */
export interface Reaction {
  readonly aggregate: string
  readonly id: string
  readonly position: string
  /**
   * As it was enqueued: a reactor may have come to want order since, or want it no more. One that was enqueued without is
   * in no order, and not one that was handled before.
   */
  readonly ordered: boolean
}

export interface JobContext {
  readonly knex: Knex
  readonly dispatcher: Dispatcher
  readonly ground: EventGround
  readonly reactor: Reactor<AppendedEvent>
  readonly job: { readonly id: string; readonly attempts: number }
}

/**
 * Hands an event to its reactor. In a transaction, if the reactor asks for one: with a receipt, so that a job that is run
 * again does nothing, and with what makes the next event of an ordered stream a job.
 *
 * @throws whatever the reactor throws; UsageError EW_REACTION where the event or the rule is unknown to this code
 */
export async function runJob(context: JobContext, reaction: Reaction): Promise<void> {
  const { knex, reactor } = context
  const named = { ...reaction, reactor: reactor.name }
  const events = await knex.transaction(async (trx) =>
    reaction.ordered && !(await isNext(trx, named)) ? null : eventsOf(trx, context, reaction),
  )
  // Handled before: the worker died before it could say so.
  if (events === null) return
  if (reactor.transaction) {
    await knex.transaction(
      async (trx) => {
        for (const [index, event] of events.entries()) {
          if (await receipt(trx, context, reaction, index + 1)) await hand(context, event, { trx, index })
        }
        if (reaction.ordered) await advanceStream(trx, named)
      },
      { isolationLevel: 'read committed' },
    )
    return
  }
  for (const [index, event] of events.entries()) await hand(context, event, { index })
  if (reaction.ordered) {
    await knex.transaction((trx) => advanceStream(trx, named), { isolationLevel: 'read committed' })
  }
}

/** The event as the code of today sees it, where it's this reactor's: several where upcasts split it. */
async function eventsOf(
  trx: Knex.Transaction,
  { dispatcher, ground, reactor }: JobContext,
  { aggregate, id, position }: Reaction,
): Promise<readonly AppendedEvent[]> {
  const { schema, table } = ground.events
  const [row] = await readingSession(await connectionOf(trx)).rows<Record<string, string | null>>(sql`
    select ${EVENT_COLUMNS}
    from ${raw(qualified(schema, table))} e
    where e.aggregate_type = ${aggregate}::text
      and e.position = ${position}::bigint`)
  const model = ground.models.get(aggregate)
  if (row === undefined || model === undefined) {
    const what = row === undefined ? 'is not in the log' : 'is of an aggregate that this code does not know'
    throw unknown(reactor.name, `${aggregate} ${id} at position ${position} ${what}`)
  }
  const events = readEvents(model, row)
  const own = events.filter((event) => reactsTo(dispatcher.rules, reactor.name, event))
  // Newer code has a rule that this code has not: it's for that one to handle. An upcast may well lead to none of ours.
  if (own.length === 0 && events.some(({ type }) => type === row['type'])) {
    throw unknown(reactor.name, `no rule of this code hands it ${aggregate}.${row['type'] ?? ''}`)
  }
  return own
}

function unknown(reactor: string, what: string): UsageError {
  return new UsageError('EW_REACTION', `reactor ${reactor}: ${what}`, {
    next: 'It is tried again: let a worker of the newer code run. Else discard the job (`eventward work discard`).',
    details: { reactor },
  })
}

/**
 * Whether it's the first time. Waits for another transaction that is at the same event.
 *
 * A receipt lives as long as its job: where that is gone, the event was handled by another worker, which took this one for
 * dead. The job's lock keeps it until the transaction ends: nobody takes it, ends it or drops its receipt meanwhile.
 */
async function receipt(
  trx: Knex.Transaction,
  { reactor, job }: JobContext,
  { position }: Reaction,
  part: number,
): Promise<boolean> {
  const connection = await connectionOf(trx)
  const [answer] = await connection.run([
    sql`
    insert into eventward.reactions (reactor, position, part, job_id)
    select ${reactor.name}::text, ${position}::bigint, ${String(part)}::integer, j.id
    from ${raw(qualified(QUEUE_SCHEMA, '_private_jobs'))} j
    where j.id = ${job.id}::bigint
    for key share
    on conflict do nothing`,
  ])
  return answer?.count === 1
}

async function hand(
  { knex, reactor, job }: JobContext,
  event: AppendedEvent,
  { trx, index }: { readonly trx?: Knex.Transaction; readonly index: number },
): Promise<void> {
  // The first of several has the key that it would have alone.
  const key = `${reactor.name}:${event.position}${index === 0 ? '' : `.${index + 1}`}`
  const context = { key, attempt: job.attempts, knex: trx ?? knex }
  await withContext({ ...causedBy(event), reactor: reactor.name }, async () => reactor.handle(event, context))
}

/** Enough for the place, and not a page of it. */
const LONGEST = 2_000

/** What is kept of an error with its job. */
export function errorText(error: unknown): string {
  if (error instanceof EventwardError) return `${error.code}: ${error.message}`
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return text.slice(0, LONGEST)
}
