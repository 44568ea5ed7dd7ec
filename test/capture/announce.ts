import type pg from 'pg'

/** What a command announces to the capture trigger. */
export interface Announcement {
  readonly type: string
  readonly id: string
  readonly events: readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[]
  /** The whole row after the fold; null: it is deleted. */
  readonly image: Readonly<Record<string, string | null>> | null
}

/** Announces events for the transaction, as a command does in the statement that writes the row. */
export async function announce(client: pg.ClientBase, { events, ...rest }: Announcement): Promise<void> {
  const said = {
    ...rest,
    metadata: { actor: 'test' },
    events: events.map((event) => ({ ...event, schemaVersion: 1, occurredAt: null })),
  }
  await client.query(`select set_config('eventward.announced', $1, true)`, [JSON.stringify(said)])
}

/** What is left of an announcement: '' once it was used up. */
export async function announced(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ said: string }>(
    `select current_setting('eventward.announced', true) as said`,
  )
  return rows[0]?.said ?? ''
}
