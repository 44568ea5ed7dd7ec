import { connect } from '../../src/db/index.js'
import { exportEvents, importEvents } from '../../src/transfer/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** `eventward export`, without the command line. */
export async function exportFile(url: string, { file, mask }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: 1 })
  try {
    const masks = mask ? { subscriptions: { stripe_key: 'hash', user_id: 'hash' } as const } : {}
    const { events } = await exportEvents(database, [Subscription], { out: file, masks })
    return { events }
  } finally {
    await database.close()
  }
}

/** `eventward import`, without the command line. */
export async function importFile(url: string, { file }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: 1 })
  try {
    const { events, tables } = await importEvents(database, [Subscription], { from: file })
    return { events, rows: tables[0]?.rows ?? '' }
  } finally {
    await database.close()
  }
}
