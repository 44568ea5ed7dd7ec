import { bindAggregate } from '../../src/bind/index.js'
import { connect, type Session } from '../../src/db/index.js'
import {
  compileBoundary,
  compileGreatestKey,
  compileSlice,
  qualified,
  raw,
  sql,
  typedKey,
} from '../../src/sql/index.js'
import { Subscription } from '../subscription.js'
import type { Outcome, TaskOptions } from '../task.js'

/** The backfill's statement in chunks, by one or more sessions, without its bookkeeping. */
export async function backfill(url: string, { workers, size }: TaskOptions): Promise<Outcome> {
  const database = await connect({ url, max: workers + 1 })
  try {
    const { model, table } = await database.session((session) => bindAggregate(session, Subscription))
    const key = typedKey(model, table.key?.columns ?? [])
    const upper = await database.session((session) =>
      session.one<{ greatest: string }>(compileGreatestKey(model, key)),
    )
    const upTo = JSON.parse(upper.greatest) as string[]
    let after: readonly string[] | null = null
    let ended = false
    let turn: Promise<unknown> = Promise.resolve()
    let events = 0
    const next = (session: Session) => {
      const claimed = turn.then(async () => {
        if (ended) return null
        const from: readonly string[] | null = after
        const [row] = await session.rows<{ boundary: string }>(
          compileBoundary(model, key, { after: from, upTo, size }),
        )
        const to = row === undefined ? upTo : (JSON.parse(row.boundary) as string[])
        ended = row === undefined
        after = to
        return { after: from, upTo: to }
      })
      turn = claimed
      return claimed
    }
    const work = () =>
      database.session(async (session) => {
        for (;;) {
          const range = await next(session)
          if (range === null) return
          await session.transaction({}, async () => {
            await session.execute(
              sql`lock table ${raw(qualified(model.schema, model.table))} in access share mode`,
            )
            const done = await session.one<{ events: string }>(
              compileSlice({
                model,
                key,
                events: { schema: 'public', table: 'events' },
                ...range,
                limit: size,
                metadata:
                  '{"source":"backfill","run":"1","definition":"0123456789ab","writer":"eventward/0.1.0"}',
                runStartedAt: '2026-01-01 00:00:00+00',
              }),
            )
            events += Number(done.events)
          })
        }
      })
    await Promise.all(Array.from({ length: workers }, work))
    return { events }
  } finally {
    await database.close()
  }
}
