import type { AggregateDefinition, AnyAggregate, StandardSchemaV1 } from '../../definition/index.js'
import { EventwardError } from '../../errors/index.js'
import { type CallOptions, defineCommand, withContext } from '../../runtime/index.js'
import type { Texts } from '../ledger.js'
import { type Application, type Knex, ROW, writeOf } from './application.js'
import type { Keys } from './keys.js'
import type { Done, Work } from './plain-work.js'

/**
 * What the application's new code does: the same, by commands. Each reads the row back in the command's own
 * transaction, where it's locked, for the ledger.
 */
export function commandWork(
  app: Application,
  keys: Keys,
  actor: string,
  definition: AggregateDefinition,
): Readonly<Record<string, Work>> {
  const { Subscribe, Activate, Deactivate, Remove } = commandsOf(definition)
  const called =
    (call: (knex: Knex) => Promise<unknown>, id: () => number): Work =>
    () =>
      withContext({ actor }, () => inTransaction(app, call, id()))
  return {
    'command Subscribe': () => {
      const [id, user_id, reward_id, payment_source_key] = keys.newRow()
      const input = { id, user_id, reward_id, payment_source_key }
      return called(
        (trx) => Subscribe.call(trx, input),
        () => id,
      )()
    },
    'command Activate': onRow(Activate, () => ({ stripe_key: keys.token('sub') })),
    'command Deactivate': onRow(Deactivate, () => ({})),
    'command Remove': onRow(Remove, () => ({})),
  }

  function onRow(command: Callable, attributes: () => Readonly<Record<string, unknown>>): Work {
    return () => {
      const id = keys.any()
      return called(
        (trx) => command.call(trx, { id, ...attributes() }),
        () => id,
      )()
    }
  }
}

interface Callable {
  call(knex: Knex, input: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown>
}

function commandsOf(definition: AggregateDefinition) {
  // Written by `init` and loaded from the project's folder: TypeScript knows nothing of its columns here.
  const aggregate = definition as unknown as AnyAggregate
  return {
    Subscribe: defineCommand({
      name: 'Subscribe',
      aggregate,
      creates: true,
      attributes: texts('user_id', 'reward_id', 'payment_source_key'),
      build: (_: null, attributes: Texts) => ({ type: 'Created', data: attributes }),
    } as never) as Callable,
    Activate: defineCommand({
      name: 'Activate',
      aggregate,
      attributes: texts('stripe_key'),
      noop: (row: Texts) => row['status'] === 'active',
      build: (_: Texts, attributes: Texts) => ({ type: 'Activated', data: attributes }),
    } as never) as Callable,
    Deactivate: defineCommand({
      name: 'Deactivate',
      aggregate,
      noop: (row: Texts) => row['status'] !== 'active',
      build: () => ({ type: 'Deactivated' }),
    } as never) as Callable,
    Remove: defineCommand({
      name: 'Remove',
      aggregate,
      deletes: true,
      several: true,
      build: () => [],
    } as never) as Callable,
  }
}

/** Attributes that must be there. */
function texts(...names: readonly string[]): StandardSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'demo',
      validate: (value) => {
        const given = value as Readonly<Record<string, unknown>>
        const missing = names.filter((name) => given[name] === undefined)
        return missing.length === 0
          ? { value }
          : { issues: missing.map((name) => ({ message: 'is missing', path: [name] })) }
      },
    },
  }
}

async function inTransaction(
  app: Application,
  call: (knex: Knex) => Promise<unknown>,
  id: number,
): Promise<Done> {
  try {
    return await app.knex.transaction(async (trx) => {
      const appended = await call(trx)
      // Nothing was to be done, and nothing was written.
      if (appended === null) return { writes: [], end: 'committed' as const }
      const { rows } = await trx.raw<{ readonly rows: readonly Texts[] }>(BACK, [id])
      return {
        writes: rows.map((row) => writeOf({ ...row, id: String(id) }, row['id'] === null)),
        end: 'committed' as const,
      }
    })
  } catch (error) {
    // Another writer has removed the row: the command says so, and the application can live with that.
    if (error instanceof EventwardError && error.code === 'EW_COMMAND_GONE')
      return { writes: [], end: 'rolled back' }
    throw error
  }
}

/** The row, or nulls where it's gone. */
const BACK = `select ${ROW} from (select ?::bigint as wanted) as w left join subscriptions on id = wanted`
