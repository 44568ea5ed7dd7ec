import type { Knex } from 'knex'
import type { AggregateDefinition } from '../definition/index.js'
import { callerConnection, setLocally } from './caller-connection.js'
import { contextJson } from './context.js'
import { type KnexBuilder, type KnexClient, plainRunner } from './knex-internals.js'
import { rawWrite, unseen } from './shim-errors.js'
import { shimWrite } from './shim-write.js'
import { mentions, type Target, targetOf } from './write-target.js'

/** An aggregate in `withEvents`. */
export interface EventsOf {
  readonly aggregate: AggregateDefinition
  /**
   * Who keeps its events: the triggers of `eventward capture on`, or, where the table can't have any, the shim, which
   * then sees what is written through this knex and nothing else.
   * @default 'triggers'
   */
  readonly capture?: 'triggers' | 'shim'
}

export interface WithEventsOptions {
  readonly aggregates?: readonly (AggregateDefinition | EventsOf)[]
}

/**
 * A knex that works as before, on the same pool, and keeps events in sight: what is written in a context (`withContext`)
 * bears it in its events' metadata, set for the transaction only (a single write gets one of its own for that); and
 * tables that the shim captures get their events in the same transaction as their rows.
 *
 * @example
 * const db = withEvents(knex, { aggregates: [Subscription, { aggregate: Reward, capture: 'shim' }] })
 * await withContext({ actor: 'ada' }, () => db('subscriptions').where({ id: 12 }).update({ status: 'active' }))
 *
 * @throws from writes to tables that the shim captures: UsageError EW_SHIM_RAW, EW_SHIM_UNSEEN; GateError
 * EW_SHIM_CAPTURED, EW_NOT_CAPTURED.
 */
export function withEvents(knex: Knex, options: WithEventsOptions = {}): Knex {
  const shimmed = (options.aggregates ?? []).flatMap((given) =>
    'aggregate' in given && given.capture === 'shim' ? [given.aggregate] : [],
  )
  // knex's own way to a second knex on the same pool; its client is another object, which can be told apart.
  const watched = (knex as unknown as { withUserParams(params: object): Knex }).withUserParams({
    ...(knex.userParams as object),
  })
  watch(watched.client as KnexClient, shimmed)
  return watched
}

/** The metadata that was last said on a transaction's connection, by the client of each (nested) transaction. */
const said = new WeakMap<KnexClient, string>()

function watch(client: KnexClient, shimmed: readonly AggregateDefinition[]): void {
  const prototype = Object.getPrototypeOf(client) as KnexClient
  client.runner = (builder) => {
    const runner = plainRunner(client, builder)
    const plain = runner.run.bind(runner)
    runner.run = () => run(client, builder, plain, shimmed)
    const stream = runner.stream.bind(runner)
    runner.stream = (...parameters) => {
      const definition = shimmed.find((each) => concerns(targetOf(builder), each))
      if (definition !== undefined) throw unseen(definition, 'its rows are streamed')
      return stream(...parameters)
    }
    return runner
  }
  client.transaction = (container, config, outer) => {
    // What an inner transaction says, and a rollback to it takes back, is not known out here.
    said.delete(client)
    const transaction = prototype.transaction.call(client, container, config, outer)
    for (const step of ['begin', 'savepoint'] as const) {
      const plain = transaction[step].bind(transaction)
      transaction[step] = async (connection) => {
        const begun = await plain(connection)
        watch(transaction.trxClient, shimmed)
        await tellContext(transaction.trxClient)
        return begun
      }
    }
    return transaction
  }
}

async function run(
  client: KnexClient,
  builder: KnexBuilder,
  plain: () => Promise<unknown>,
  shimmed: readonly AggregateDefinition[],
): Promise<unknown> {
  // Nothing to say, nothing to keep: knex alone.
  if (shimmed.length === 0 && contextJson() === null && !said.has(client)) return plain()
  const target = targetOf(builder)
  if (target.kind === 'read') return plain()
  const definition = shimmed.find((each) => concerns(target, each))
  if (client.transacting === true) return within(client, builder, target, definition, plain)
  const mayWrap = target.kind !== 'raw' || target.mayWrap
  if (definition === undefined && (contextJson() === null || !mayWrap)) return plain()
  // Alone, a write is its own transaction: the same, with room for what belongs to it.
  return client.transaction(
    (trx) => {
      const inner = trx.client as KnexClient
      return within(inner, builder, target, definition, () => plainRunner(inner, builder).run())
    },
    { userParams: {}, doNotRejectOnRollback: true, connection: builder._connection },
  )
}

async function within(
  client: KnexClient,
  builder: KnexBuilder,
  target: Target,
  definition: AggregateDefinition | undefined,
  plain: () => Promise<unknown>,
): Promise<unknown> {
  await tellContext(client)
  if (definition === undefined) return plain()
  if (target.kind === 'raw') throw rawWrite(definition)
  if (target.kind === 'insert' || target.kind === 'update' || target.kind === 'del') {
    return shimWrite(client, definition, builder, target.kind)
  }
  throw unseen(definition, 'it is neither insert, update nor delete')
}

/** SET LOCAL only: a setting of the session would go on to whoever gets the connection next. */
async function tellContext(client: KnexClient): Promise<void> {
  const metadata = contextJson() ?? ''
  if ((said.get(client) ?? '') === metadata) return
  const connection = callerConnection(await client.acquireConnection())
  await connection.run([setLocally('eventward.metadata', metadata)])
  said.set(client, metadata)
}

/** Whether a write is one of this table, or might be. */
function concerns(target: Target, { table }: AggregateDefinition): boolean {
  if (target.kind === 'read') return false
  if (target.kind === 'raw') return mentions(target.text, table.name)
  if (target.table === null) return false
  return target.table === table.name && (target.schema === null || target.schema === table.schema)
}
