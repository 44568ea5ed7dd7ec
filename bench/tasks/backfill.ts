import { backfill as run } from '../../src/backfill/index.js'
import { connect } from '../../src/db/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** `eventward backfill`, without the command line. */
export async function backfill(url: string, { workers, size }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: workers + 1 })
  try {
    const { events, complete } = await run(database, Subscription, { workers, chunkRows: size })
    return { events: Number(events), complete: String(complete) }
  } finally {
    await database.close()
  }
}
