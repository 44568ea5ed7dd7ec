import type { Knex } from 'knex'
import { ident, literal } from '../sql/index.js'
import { installedEvents } from './installed-events.js'
import { runDdl } from './run-ddl.js'

/**
 * Raises SQLSTATE EW002 where the events table holds an event: what is stored is never dropped with the tools.
 * Locks the events table against everyone until the transaction ends, so that none comes after the look.
 */
export async function refuseKeptEvents(knex: Knex): Promise<void> {
  const events = await installedEvents(knex)
  if (events === null) return
  const name = `${ident(events.schema)}.${ident(events.table)}`
  const message = `${name} still holds events: nothing was removed`
  const hint = 'Export what you need; then detach or drop its partitions by hand, and run this again.'
  await runDdl(
    knex,
    `do ${literal(`begin
  lock table ${name} in access exclusive mode;
  if exists (select from ${name}) then
    raise exception using errcode = 'EW002', message = ${literal(message)}, hint = ${literal(hint)};
  end if;
end`)}`,
  )
}
