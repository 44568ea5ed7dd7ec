import { AsyncLocalStorage } from 'node:async_hooks'
import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import {
  type AppendedEvent,
  connectionOf,
  type Participant,
  participate,
  type Upcoming,
  withContext,
} from '../runtime/index.js'
import { sql } from '../sql/index.js'
import { type Dispatcher, matching, reactorsOf } from './define-dispatcher.js'

const participants = new WeakMap<Dispatcher, Participant>()

/** See `Dispatcher.attach`. */
export function attachDispatcher(knex: Knex, dispatcher: Dispatcher): () => void {
  const participant = participants.get(dispatcher) ?? participantOf(dispatcher)
  participants.set(dispatcher, participant)
  return participate(knex, participant)
}

function participantOf({ rules }: Dispatcher): Participant {
  return {
    reacts: true,
    async enqueues(_trx, events) {
      const byType = new Map<string, Set<string>>()
      for (const event of events) {
        for (const { name } of enqueuedWith(rules, event)) {
          byType.set(event.type, (byType.get(event.type) ?? new Set()).add(name))
        }
      }
      return Object.fromEntries([...byType].map(([type, names]) => [type, [...names]]))
    },
    async appended(trx, events) {
      // What a command's rules said before it appended stands in the metadata of its events, and binds.
      const jobs = events.flatMap((event) =>
        enqueuedWith(rules, event).map(({ name, maxAttempts }) => jobOf(event, name, maxAttempts)),
      )
      if (jobs.length > 0) await enqueue(trx, jobs)
      for (const event of events) {
        for (const trigger of matching(rules, event).flatMap(({ triggers }) => triggers)) {
          await nested(event, () => withContext(causedBy(event), async () => trigger(event, { trx })))
        }
      }
    },
  }
}

/** The reactors whose jobs go with an event: those that want order get it from the log. */
function enqueuedWith(rules: Dispatcher['rules'], event: Upcoming) {
  return reactorsOf(matching(rules, event)).filter(({ ordered }) => !ordered)
}

/** What `eventward.enqueue` takes. */
export interface Job {
  readonly reactor: string
  readonly aggregate: string
  readonly id: string
  readonly position: string
  readonly attempts: number
  /** Whether `eventward.reaction_order` has it, and others may wait for it. @default false */
  readonly ordered?: boolean
}

function jobOf({ aggregate, id, position }: AppendedEvent, name: string, attempts: number): Job {
  return { reactor: name, aggregate, id, position, attempts }
}

/**
 * Enqueues jobs within the transaction.
 *
 * @throws UsageError EW_QUEUE where the queue isn't installed, or may not be written to.
 */
export async function enqueue(trx: Knex.Transaction, jobs: readonly Job[]): Promise<void> {
  const connection = await connectionOf(trx)
  try {
    await connection.run([sql`select eventward.enqueue(${JSON.stringify(jobs)}::pg_catalog.jsonb)`])
  } catch (cause) {
    const next = NEXT[sqlstateOf(cause) ?? '']
    if (next === undefined) throw cause
    throw new UsageError('EW_QUEUE', 'jobs of reactors can not be enqueued', { next, cause })
  }
}

const INSTALL = 'Run `eventward migrate up`: it installs the queue.'
const NEXT: Readonly<Record<string, string>> = {
  // No such schema, function, type, table.
  '3F000': INSTALL,
  '42883': INSTALL,
  '42704': INSTALL,
  '42P01': INSTALL,
  '42501':
    "Grant the application's role usage on schema eventward and execute on function eventward.enqueue(jsonb).",
}

/** What events that come of this one say of where they come from. */
export function causedBy({ position, metadata }: AppendedEvent) {
  return { causation: position, correlation: metadata['correlation'] ?? position }
}

/** Triggers that lead to events that lead to triggers: deeper than any that ends by itself. */
const DEEPEST = 32
const depth = new AsyncLocalStorage<number>()

async function nested(event: AppendedEvent, work: () => Promise<unknown>): Promise<void> {
  const level = (depth.getStore() ?? 0) + 1
  if (level > DEEPEST) {
    throw new UsageError(
      'EW_REACTOR_LOOP',
      `${event.aggregate}.${event.type}: triggers lead to each other's events without end`,
      {
        next: 'Make one of their commands a no-op where nothing is left to do.',
        details: { aggregate: event.aggregate, type: event.type },
      },
    )
  }
  await depth.run(level, work)
}
