import { bindAggregate } from '../../src/bind/index.js'
import { connect } from '../../src/db/index.js'
import { typedKey } from '../../src/sql/index.js'
import { replayEngine } from '../../src/verify/replay-engine.js'
import { sqlEngine } from '../../src/verify/sql-engine.js'
import { tablePasses } from '../../src/verify/table-passes.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** Both passes of a verify by one or more sessions, without its bookkeeping. */
export async function verify(url: string, { workers, engine }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: workers + 1 })
  try {
    const { model, table } = await database.session((session) => bindAggregate(session, Subscription))
    const source = {
      model,
      key: typedKey(model, table.key?.columns ?? []),
      events: { schema: 'public', table: 'events' },
    }
    const next = tablePasses(source, (engine === 'sql' ? sqlEngine : replayEngine)(source))
    let events = 0
    let differences = 0
    const work = () =>
      database.session(async (session) => {
        for (;;) {
          const chunk = await next(session)
          if (chunk === null) return
          const checked = await chunk.check(session)
          events += checked.events
          differences += checked.found.length
        }
      })
    await Promise.all(Array.from({ length: workers }, work))
    return { events, differences }
  } finally {
    await database.close()
  }
}
