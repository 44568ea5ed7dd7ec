import type { Task, TaskList, WorkerEvents } from 'graphile-worker'
import type { Knex } from 'knex'
import type { AggregateDefinition } from '../definition/index.js'
import { connectionOf, type EventGround, readGround } from '../runtime/index.js'
import type { Dispatcher } from './define-dispatcher.js'
import { errorText, type Reaction, runJob } from './run-job.js'
import type { WorkerEvent } from './worker-types.js'

/** One task for each reactor: a worker fetches jobs of those that it has. */
export function tasksOf(knex: Knex, dispatcher: Dispatcher, keeper: GroundKeeper): TaskList {
  return Object.fromEntries(
    dispatcher.reactors.map((reactor) => {
      const task: Task = async (payload, { job }) => {
        const ground = await keeper.get()
        try {
          // Written by `eventward.enqueue` alone.
          await runJob({ knex, dispatcher, ground, reactor, job }, payload as Reaction)
        } catch (error) {
          // A column may have come, or another version of an event: the next try looks again.
          keeper.forget()
          // The queue keeps the message, and nothing else of it.
          throw new JobError(errorText(error), { cause: error })
        }
      }
      return [reactor.name, task]
    }),
  )
}

/** A job failed; the message says all that is kept. */
class JobError extends Error {
  override readonly name = 'JobError'
}

/** Keeps what reading events needs until something failed. */
export interface GroundKeeper {
  get(): Promise<EventGround>
  forget(): void
}

export function groundKeeper(knex: Knex, aggregates: readonly AggregateDefinition[]): GroundKeeper {
  let kept: Promise<EventGround> | undefined
  return {
    get() {
      if (kept === undefined) {
        const asked = knex.transaction(async (trx) => readGround(await connectionOf(trx), aggregates))
        kept = asked
        asked.catch(() => {
          if (kept === asked) kept = undefined
        })
      }
      return kept
    },
    forget() {
      kept = undefined
    },
  }
}

/** Tells of jobs as they end. */
export function tell(events: WorkerEvents, on: (happened: WorkerEvent) => void): void {
  const named = (job: { readonly task_identifier: string; readonly payload: unknown }) => ({
    reactor: job.task_identifier,
    position: (job.payload as Reaction).position,
  })
  events.on('job:success', ({ job }) => on({ kind: 'done', ...named(job) }))
  events.on('job:error', ({ job, error }) =>
    on({
      kind: 'failed',
      ...named(job),
      error: error instanceof Error ? error.message : String(error),
      left: Math.max(0, job.max_attempts - job.attempts),
    }),
  )
}
