import type { Knex } from 'knex'
import { type Cursor, closeWindow, inWindow, openWindow, takeMark } from '../../src/log/index.js'
import { connectionOf, readingSession } from '../../src/runtime/index.js'
import { sql } from '../../src/sql/index.js'

export const EVENTS = { schema: 'public', table: 'events' }

/** All of one window of the log, in order of position, and the cursor behind it. */
export function readWindow(knex: Knex, cursor: Cursor) {
  return knex.transaction(async (trx) => {
    const connection = await connectionOf(trx)
    const open = openWindow(cursor, await takeMark(connection, EVENTS, cursor.restored))
    const events = await readingSession(connection).rows<Record<'id' | 'type' | 'position', string>>(
      sql`select e.aggregate_id as id, e.type, e.position from public.events e where ${inWindow(open)} order by e.position`,
    )
    return { events, cursor: closeWindow(open) }
  })
}
