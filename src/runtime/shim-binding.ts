import type { Knex } from 'knex'
import type { AggregateDefinition } from '../definition/index.js'
import { captureNames, literal, qualified, raw, sql } from '../sql/index.js'
import { partitionOf } from '../store/index.js'
import { rowShapeQuery } from './ask-phase.js'
import type { CallerConnection } from './caller-connection.js'
import { readingSession } from './caller-session.js'
import { type Binding, bindingOf } from './command-binding.js'
import { capturedTwice, notPrepared } from './shim-errors.js'

/** A definition bound for dual-write, under the table's lock. */
export interface ShimBinding {
  readonly binding: Binding
  /** Each statement has a snapshot of its own (READ COMMITTED). */
  readonly fresh: boolean
}

/** Which bindings were found fit: looked at once each. */
const ready = new WeakSet<Binding>()

/**
 * Takes ROW EXCLUSIVE on the table, as the write itself will, and binds: under it no trigger comes or goes.
 *
 * @throws GateError EW_SHIM_CAPTURED where triggers keep its events, EW_NOT_CAPTURED where the definition is not
 * registered or there is no partition.
 */
export async function bindShim(
  connection: CallerConnection,
  client: unknown,
  definition: AggregateDefinition,
): Promise<ShimBinding> {
  const name = qualified(definition.table.schema, definition.table.name)
  const phase = `${qualified('eventward', captureNames(definition.name).phase)}()`
  const answers = await connection.run([
    sql`lock table only ${raw(name)} in row exclusive mode`,
    sql`select pg_catalog.current_database() as database, pg_catalog.current_setting('transaction_isolation') as isolation,
      pg_catalog.to_regprocedure(${raw(literal(phase))}) as asked`,
    rowShapeQuery(definition),
  ])
  const { database, isolation, asked } = answers[1]?.rows[0] ?? {}
  // Not from pg_trigger: an older snapshot doesn't show there what fires all the same. Functions are found by the newest.
  if (asked != null) {
    const [answer] = await connection.run([sql`select ${raw(phase)} as phase`])
    if (answer?.rows[0]?.['phase'] !== 'legacy') throw capturedTwice(definition)
  }
  const shape = answers[2]?.rows[0]?.['shape'] ?? ''
  const request = {
    knex: { client: client as unknown as Knex.Client },
    connection,
    definition,
    database: database ?? '',
    shape,
  }
  let binding = await bindingOf(request)
  if (!ready.has(binding)) {
    // It may have been registered since.
    if (binding.unregistered.size > 0) binding = await bindingOf(request, true)
    await prepare(connection, binding, definition)
    ready.add(binding)
  }
  return { binding, fresh: isolation === 'read committed' || isolation === 'read uncommitted' }
}

async function prepare(
  connection: CallerConnection,
  binding: Binding,
  definition: AggregateDefinition,
): Promise<void> {
  const { model, events, unregistered } = binding
  if (unregistered.size > 0)
    throw notPrepared(definition, 'its definition is not registered as the code has it')
  const partition = await partitionOf(readingSession(connection), events, model.name)
  if (partition === null) throw notPrepared(definition, 'there is no partition for its events')
}
