import type { Knex } from 'knex'
import { UsageError } from '../errors/index.js'
import { type EventName, isOneOf } from '../log/index.js'
import type { AppendedEvent } from '../runtime/index.js'
import type { Query } from '../sql/index.js'
import type { Projection } from './define-projection.js'
import type { Generation } from './generations.js'

/**
 * Writes one event to a generation: every rule that names it, in order of declaration.
 *
 * @throws UsageError EW_PROJECTION_FAILED naming projection, event and position; its cause is what the handler threw.
 */
export async function handleEvent(
  { name, rules }: Projection,
  { schema, table }: Pick<Generation, 'schema' | 'table'>,
  { trx, event }: { readonly trx: Knex.Transaction; readonly event: AppendedEvent },
): Promise<void> {
  try {
    for (const { aggregate, types, handle } of rules) {
      if (aggregate.name !== event.aggregate || !types.includes(event.type)) continue
      await handle(event, { trx, table: `${schema}.${table}` })
    }
  } catch (cause) {
    const what = `${event.aggregate} ${event.id} v${event.version} ${event.type}`
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(
      'EW_PROJECTION_FAILED',
      `projection ${name}: its handler failed at position ${event.position} (${what}): ${reason}`,
      {
        next: 'Correct the handler and run it again: it goes on at this event.',
        details: { projection: name, position: event.position, event: what },
        cause,
      },
    )
  }
}

/** Whether a rule names such an event. */
export function handles(
  { rules }: Pick<Projection, 'rules'>,
  event: { readonly aggregate: string; readonly type: string },
): boolean {
  return rules.some(
    ({ aggregate, types }) => aggregate.name === event.aggregate && types.includes(event.type),
  )
}

/** SQL of the same about a stored event `e`; of those, too, that upcasts may lead to such. */
export function handledSql({ rules }: Pick<Projection, 'rules'>): Query {
  return isOneOf(
    rules.flatMap(({ aggregate, types }) =>
      [...types, ...(aggregate.upcasts ?? []).map(({ type }) => type)].map(
        (type): EventName => [aggregate.name, type],
      ),
    ),
  )
}
