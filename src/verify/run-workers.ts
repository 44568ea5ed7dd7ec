import type { Database, Session } from '../db/index.js'
import type { StoppedError } from '../errors/index.js'

export interface WorkersInput {
  readonly workers: number
  readonly signal: AbortSignal | undefined
  /** Does one piece of work; false where there is none left. */
  readonly step: (session: Session) => Promise<boolean>
  readonly stopped: () => StoppedError
}

/**
 * Lets workers, each on a session of its own, take steps until none is left. The first failure ends all of them after
 * the step that each is at. A step that was cancelled because of `signal` is a stop, not a failure.
 */
export async function runWorkers(
  database: Database,
  { workers, signal, step, stopped }: WorkersInput,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const work = async (session: Session) => {
    while (failure === undefined) {
      if (signal?.aborted === true) throw stopped()
      if (!(await step(session))) return
    }
  }
  const guarded = async () => {
    try {
      await database.session(work)
    } catch (error) {
      failure ??= { error: signal?.aborted === true ? stopped() : error }
    }
  }
  await Promise.all(Array.from({ length: workers }, guarded))
  if (failure !== undefined) throw failure.error
}
