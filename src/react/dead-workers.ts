import { connect, type Database, type Session } from '../db/index.js'
import { QUEUE_SCHEMA } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'

/**
 * graphile-worker lets go of the jobs of a dead worker after four hours. A worker of ours holds a lock of its connection
 * under the name by which it locks jobs: where the lock is free, the worker is dead.
 */
export interface Liveness {
  /** Takes the lock of a worker; awaited before it fetches a job. */
  hold(worker: string): Promise<void>
  /** Asks whether the connection, and so the locks, are still there. */
  check(): Promise<void>
  /** Lets go of jobs and queues of dead workers; gives their names. */
  release(): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * Opens a connection of its own. Where it's lost, so are the locks: `onLost` is called, and the worker must stop.
 */
export async function openLiveness(
  url: string | undefined,
  onLost: (error: unknown) => void,
): Promise<Liveness> {
  const database = await connect({
    ...(url === undefined ? {} : { url }),
    max: 1,
    applicationName: 'eventward work (alive)',
  })
  const held = new Set<string>()
  const { session, close } = await lentSession(database)
  // One connection: a statement after the other. Where one fails, so do the locks: the worker must stop.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work)
    last = turn.catch(onLost)
    return turn
  }
  const released = async () => {
    const workers = await session.rows<{ worker: string }>(sql`
      select locked_by as worker from ${QUEUE.jobs} where locked_by is not null
      union
      select locked_by from ${QUEUE.queues} where locked_by is not null`)
    const dead: string[] = []
    for (const { worker } of workers.filter((one) => !held.has(one.worker))) {
      const { free } = await session.one<{ free: string }>(
        sql`select pg_try_advisory_lock(${lockOf(worker)}) as free`,
      )
      if (free !== 't') continue
      await session.execute(sql`select ${QUEUE.unlock}(array[${worker}::text])`)
      await session.execute(sql`select pg_advisory_unlock(${lockOf(worker)})`)
      dead.push(worker)
    }
    return dead
  }
  return {
    async hold(worker) {
      if (held.has(worker)) return
      held.add(worker)
      await inTurn(() => session.execute(sql`select pg_advisory_lock(${lockOf(worker)})`))
    },
    async check() {
      await inTurn(() => session.execute(sql`select`))
    },
    release: () => inTurn(released),
    close,
  }
}

const QUEUE = {
  jobs: raw(qualified(QUEUE_SCHEMA, '_private_jobs')),
  queues: raw(qualified(QUEUE_SCHEMA, '_private_job_queues')),
  unlock: raw(qualified(QUEUE_SCHEMA, 'force_unlock_workers')),
}

function lockOf(worker: string) {
  return sql`hashtextextended('eventward worker ' || ${worker}::text, 0)`
}

/** A session that is lent until it's closed: its locks are the connection's. */
function lentSession(database: Database): Promise<{ session: Session; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    let end: () => void = () => undefined
    const ended = new Promise<void>((done) => {
      end = done
    })
    const lent = database.session(async (session) => {
      resolve({
        session,
        async close() {
          end()
          await lent
          await database.close()
        },
      })
      await ended
    })
    lent.catch(reject)
  })
}
