/** A database that was restored elsewhere: its events bear transaction ids of another cluster, some still to come in this one. */
import { beforeAll, describe, expect, it } from 'vitest'
import { applicationKnex } from '../../src/db/index.js'
import { projectionRunner, replay } from '../../src/project/index.js'
import { defineDispatcher, reactionWorker, reactor } from '../../src/react/index.js'
import type { AppendedEvent } from '../../src/runtime/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'
import { EXPECTED, perSubscription, SHOWN } from './per-subscription.js'

describe('in a database that was restored elsewhere', () => {
  const db = testDatabase()
  const STREAMS = 30
  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await installCapture(db.database, Subscription)
    await db.admin.query(manySubscriptions(1, STREAMS))
    // What a dump brings along: ids as far as the other cluster was; of some the next transactions here.
    await db.admin.query(`
      alter table public.events_subscription disable trigger eventward_append_only,
        disable trigger eventward_append_only_own;
      update public.events_subscription
      set transaction_id = case when aggregate_id::integer > 20 then '9000000000'
        else (pg_current_xact_id()::text::bigint + aggregate_id::integer)::text end::xid8;
      alter table public.events_subscription enable always trigger eventward_append_only,
        enable always trigger eventward_append_only_own`)
  })

  it('each event is written once, whatever its transaction id says', async () => {
    const knex = applicationKnex({ url: db.url, applicationName: 'restored', max: 8 })
    const [all, later]: [string[], string[]] = [[], []]
    const one = (name: string, seen: string[], backfill: boolean) =>
      reactor<AppendedEvent>(name, ({ id, version }) => seen.push(`${id} v${version}`), { backfill })
    const dispatcher = defineDispatcher((on) =>
      on(Subscription, { async: [one('all', all, true), one('later', later, false)] }),
    )
    const worker = await reactionWorker({ url: db.url, dispatcher, knex })
    try {
      const projection = perSubscription()
      await replay(knex, projection, { pageSize: 7 })
      for (const [from, to] of [
        [31, 33],
        [34, 50],
      ] as const) {
        // Each of its own transaction, so that the ids of this cluster pass those that were brought along.
        for (let id = from; id <= to; id += 1) await db.admin.query(manySubscriptions(id, id))
        await projectionRunner({ knex, projections: [projection] }).once()
        await worker.once()
      }
      expect((await db.admin.query(SHOWN)).rows).toEqual((await db.admin.query(EXPECTED)).rows)
      const events = (from: number) =>
        db.admin.query<{ event: string }>(
          `select aggregate_id || ' v' || version as event from public.events where aggregate_id::integer > $1`,
          [from],
        )
      const names = async (from: number) => (await events(from)).rows.map(({ event }) => event).sort()
      expect(later.sort()).toEqual(await names(STREAMS))
      expect(all.sort()).toEqual(await names(0))
    } finally {
      await worker.close()
      await knex.destroy()
    }
  })
})
