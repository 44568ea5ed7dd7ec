import { connect } from '../../src/db/index.js'
import { verify as run } from '../../src/verify/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** `eventward verify`, without the command line. */
export async function verify(url: string, { workers, engine }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: workers + 1 })
  try {
    const { table } = await run(database, Subscription, { workers, engine })
    return { events: Number(table.events), differences: Number(table.differences) }
  } finally {
    await database.close()
  }
}
