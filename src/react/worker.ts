import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunnerOptions, WorkerEvents } from 'graphile-worker'
import { applicationKnex, driverPool } from '../db/index.js'
import { installQueue, QUEUE_SCHEMA, quietLogger } from '../migrate/index.js'
import type { AppendedEvent } from '../runtime/index.js'
import { registerConsumers } from './consumers.js'
import { openLiveness } from './dead-workers.js'
import type { Reactor } from './reactor.js'
import { readLog } from './read-log.js'
import { dropReceipts } from './receipts.js'
import { groundKeeper, tasksOf, tell } from './tasks.js'
import { aggregatesOf, wantsOf } from './wants.js'
import type { ReactionWorker, WorkerEvent, WorkerOptions } from './worker-types.js'

/** After a failure at the log, in ms: what fails now fails a moment later as well. */
const AFTER_FAILURE_MS = 5_000
/** Between two looks for dead workers, in ms. */
const RELEASE_MS = 30_000
/** Between two looks whether others still see that this one is alive, in ms: where they don't, they take its jobs. */
const ALIVE_MS = 2_000

/**
 * Makes a worker: enqueues jobs for what the log has and no command enqueued, and calls reactors. Several may run, in
 * several processes. Installs or updates the queue, and makes a place in the log for each reactor that has none. Close it.
 *
 * @throws UsageError EW_NOT_MIGRATED, EW_REACTOR; DatabaseError
 */
export async function reactionWorker(options: WorkerOptions): Promise<ReactionWorker> {
  const { url, dispatcher, aggregates = [], concurrency = 4 } = options
  await installQueue(url)
  const knex =
    options.knex ?? applicationKnex({ url, applicationName: 'eventward work', max: concurrency + 1 })
  const pgPool = driverPool({ url, applicationName: 'eventward work (jobs)', max: concurrency + 2 })
  const lost = new AbortController()
  const closing: (() => unknown)[] = [dispatcher.attach(knex), () => pgPool.end()]
  if (options.knex === undefined) closing.push(() => knex.destroy())
  const close = async (): Promise<void> => {
    await Promise.all(closing.splice(0).map((end) => end()))
  }
  try {
    const keeper = groundKeeper(knex, aggregatesOf(dispatcher, aggregates))
    const ground = await keeper.get()
    const wanting = dispatcher.reactors.map(({ name, backfill }) => ({
      name,
      backfill,
      wants: wantsOf(ground, dispatcher, name),
    }))
    await registerConsumers(knex, ground.events, wanting)
    const liveness = await openLiveness(url, (error) => lost.abort(error))
    closing.push(() => liveness.close())
    const shared = {
      pgPool,
      concurrency,
      schema: QUEUE_SCHEMA,
      logger: await quietLogger(),
      noHandleSignals: true,
      taskList: tasksOf(knex, dispatcher, keeper),
    }
    const queue = () => ({ ...shared, ...holding(liveness) })
    const worker = new Worker(options, { knex, ground, liveness, queue, lost })
    return { once: () => worker.once(), run: () => worker.run(), close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Parts {
  readonly knex: Parameters<typeof readLog>[0]
  readonly ground: { readonly events: Parameters<typeof registerConsumers>[1] }
  readonly liveness: Awaited<ReturnType<typeof openLiveness>>
  readonly queue: () => RunnerOptions & { readonly events: WorkerEvents }
  readonly lost: AbortController
}

class Worker {
  constructor(
    private readonly options: WorkerOptions,
    private readonly parts: Parts,
  ) {}

  async once(): Promise<void> {
    const { runOnce } = await import('graphile-worker')
    const { signal } = this.options
    await this.#release()
    // What a reactor does may be what another one reacts to.
    for (let done = 1; done > 0 && signal?.aborted !== true; ) {
      done = 0
      for (const reactor of this.options.dispatcher.reactors) done += await this.#read(reactor, signal)
      const queue = this.parts.queue()
      tell(queue.events, (happened) => {
        if (happened.kind === 'done') done += 1
        this.#on(happened)
      })
      await runOnce(queue)
    }
    await dropReceipts(this.parts.knex)
  }

  async run(): Promise<void> {
    const { run } = await import('graphile-worker')
    const { signal, pollMs = 1_000, dispatcher } = this.options
    const { lost } = this.parts
    const until = AbortSignal.any([lost.signal, ...(signal === undefined ? [] : [signal])])
    const queue = this.parts.queue()
    tell(queue.events, (happened) => this.#on(happened))
    const runner = await run({ ...queue, parsedCronItems: [] })
    const ended = runner.promise.catch((error: unknown) => lost.abort(error))
    const all = [
      ...dispatcher.reactors.map((one) => rounds(until, pollMs, () => this.#readSafely(one, until))),
      rounds(until, RELEASE_MS, () => this.#release()),
      rounds(until, ALIVE_MS, () => this.parts.liveness.check()),
    ]
    // Where one of them is lost, the others end as well, and the jobs under way, before it's told.
    await Promise.all(all.map((one) => one.catch((error: unknown) => lost.abort(error))))
    await runner.stop().catch(() => undefined)
    await ended
    if (lost.signal.aborted) throw lost.signal.reason
  }

  async #readSafely(reactor: Reactor<AppendedEvent>, until: AbortSignal): Promise<void> {
    try {
      await this.#read(reactor, until)
    } catch (error) {
      this.#on({ kind: 'unread', reactor: reactor.name, error })
      await pause(AFTER_FAILURE_MS, until)
    }
  }

  /** All that the log has for a reactor; gives how many jobs that made. */
  async #read(reactor: Reactor<AppendedEvent>, until: AbortSignal | undefined): Promise<number> {
    const { knex, ground } = this.parts
    let all = 0
    for (let drained = false; !drained && until?.aborted !== true; ) {
      const page = await readLog(knex, { events: ground.events, reactor })
      drained = page.drained
      all += page.enqueued
      if (page.enqueued > 0) this.#on({ kind: 'enqueued', reactor: reactor.name, events: page.enqueued })
    }
    return all
  }

  async #release(): Promise<void> {
    for (const worker of await this.parts.liveness.release()) this.#on({ kind: 'released', worker })
    // Those that can't be dropped now are dropped another time: no reason to stop working.
    await dropReceipts(this.parts.knex).catch(() => undefined)
  }

  #on(happened: WorkerEvent): void {
    this.options.on?.(happened)
  }
}

/** Before it fetches a job, a worker holds the lock that says that it's alive: nobody takes its jobs for a dead one's. */
function holding(
  liveness: Parts['liveness'],
): Pick<RunnerOptions, 'forbiddenFlags'> & { events: WorkerEvents } {
  const events: WorkerEvents = new EventEmitter()
  let held: Promise<void> = Promise.resolve()
  events.on('pool:create', ({ workerPool }) => {
    held = liveness.hold(workerPool.id)
    held.catch(() => undefined)
  })
  const forbiddenFlags = async () => {
    await held
    return null
  }
  return { events, forbiddenFlags }
}

async function rounds(until: AbortSignal, ms: number, work: () => Promise<unknown>): Promise<void> {
  while (!until.aborted) {
    await work()
    await pause(ms, until)
  }
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: until }).catch(() => undefined)
}
