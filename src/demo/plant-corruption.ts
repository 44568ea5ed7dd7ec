import { connect, type Session } from '../db/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'
import { partitionOf } from '../store/index.js'

/** The event whose value is changed, and the row: keys, and the column that must be named for each. */
export const PLANTED = {
  event: { key: '4711', column: 'user_id' },
  row: { key: '31337', column: 'payment_source_key' },
} as const

/** Keys that the writers leave alone: the planted ones, and the slide's rows. */
export const RESERVED_KEYS: readonly number[] = [12, 13, ...[PLANTED.event.key, PLANTED.row.key].map(Number)]

/**
 * Does what must never happen: a superuser turns the append-only triggers off and changes a stored event, and turns
 * capture off for a moment and changes a row past all events. The triggers are put back, ENABLE ALWAYS.
 */
export async function plantCorruption(superuserUrl: string): Promise<readonly string[]> {
  await asSuperuser(superuserUrl, async (session) => {
    await pastCapture(session, async () => {
      await session.execute(sql`
        update public.subscriptions
        set payment_source_key = 'pm_forged'
        where id = ${PLANTED.row.key}::bigint`)
    })
    await changeEvent(session, '1')
  })
  return [
    `event v1 of subscription ${PLANTED.event.key}: ${PLANTED.event.column} + 1, by a superuser with the trigger off`,
    `row ${PLANTED.row.key}: ${PLANTED.row.column} = 'pm_forged', past all events, with capture's trigger off`,
  ]
}

/** Puts both right again. */
export async function undoCorruption(superuserUrl: string): Promise<void> {
  await asSuperuser(superuserUrl, async (session) => {
    await pastCapture(session, async () => {
      await session.execute(sql`
        update public.subscriptions s
        set payment_source_key = e.data ->> 'payment_source_key'
        from public.events e
        where e.aggregate_type = 'Subscription'
          and e.aggregate_id = ${PLANTED.row.key}::text
          and e.version = 1
          and s.id = ${PLANTED.row.key}::bigint`)
    })
    await changeEvent(session, '-1')
  })
}

/**
 * Changes a row with capture's trigger off. The table's lock first, then that of the events: in the order of the
 * writers, who wait for a moment.
 */
async function pastCapture(session: Session, work: () => Promise<void>): Promise<void> {
  await session.execute(sql`alter table public.subscriptions disable trigger "~eventward_before"`)
  await work()
  await session.execute(sql`alter table public.subscriptions enable always trigger "~eventward_before"`)
}

async function changeEvent(session: Session, by: string): Promise<void> {
  const partition = await partitionOf(session, { schema: 'public', table: 'events' }, 'Subscription')
  const table = raw(qualified(partition?.schema ?? 'public', partition?.table ?? 'events'))
  const both = ['eventward_append_only', 'eventward_append_only_own'].map((name) => raw(ident(name)))
  for (const trigger of both) await session.execute(sql`alter table ${table} disable trigger ${trigger}`)
  await session.execute(sql`
    update ${table}
    set data = data || jsonb_build_object('user_id', (data ->> 'user_id')::bigint + ${by}::bigint)
    where aggregate_id = ${PLANTED.event.key}::text
      and version = 1`)
  for (const trigger of both)
    await session.execute(sql`alter table ${table} enable always trigger ${trigger}`)
}

async function asSuperuser(url: string, work: (session: Session) => Promise<void>): Promise<void> {
  const database = await connect({ url, max: 1, applicationName: 'demo: corruption' })
  try {
    await database.session((session) => session.transaction({}, () => work(session)))
  } finally {
    await database.close()
  }
}
