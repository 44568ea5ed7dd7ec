import type pg from 'pg'

/** Appends an event as a capture trigger would, within the client's transaction. */
export async function appendAsCaptured(
  client: pg.ClientBase,
  event: { readonly id: string; readonly version: number; readonly type: string; readonly data?: string },
): Promise<void> {
  await client.query(
    `insert into public.events (aggregate_type, aggregate_id, version, type, data, metadata, occurred_at)
     values ('Subscription', $1, $2, $3, $4, '{"source":"trigger","definition":"another"}', clock_timestamp())`,
    [event.id, event.version, event.type, event.data ?? '{}'],
  )
}
