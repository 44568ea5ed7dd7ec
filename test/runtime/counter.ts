/** A row that 8 connections count up, by commands, each with a key of its own; two reactors watch. */
import createKnex, { type Knex } from 'knex'
import { defineAggregate, defineTable } from '../../src/definition/index.js'
import { ConflictError } from '../../src/errors/index.js'
import type { Integer } from '../../src/index.js'
import { defineDispatcher, reactor } from '../../src/react/index.js'
import {
  type AppendedEvent,
  type CallOptions,
  defineCommand,
  eventsOf,
  repositoryOf,
  versionOf,
} from '../../src/runtime/index.js'

const counters = defineTable<{ id: Integer; value: Integer }>()({
  schema: 'public',
  name: 'counters',
  key: ['id'],
  columns: { id: { type: 'bigint', nullable: false }, value: { type: 'bigint', nullable: false } },
})

export const Counter = defineAggregate({
  name: 'Counter',
  table: counters,
  events: { Made: { creates: true, data: ['value'] }, Counted: { data: ['value'] } },
})

export const createCounters = `
  create table public.counters (id bigint primary key, value bigint not null);
  create table public.touched (position bigint primary key);
  create table public.effects (reactor text, position bigint)`

export const CountUp = defineCommand({
  name: 'CountUp',
  aggregate: Counter,
  build: ({ value }) => ({ type: 'Counted', data: { value: String(BigInt(value) + 1n) as Integer } }),
})

const { Counted } = eventsOf(Counter)
const Counters = repositoryOf(Counter)

const effect = (name: string, transaction: boolean) =>
  reactor<AppendedEvent>(
    name,
    async ({ position }, { knex }) => knex.raw('insert into public.effects values (?, ?)', [name, position]),
    { transaction },
  )

export const dispatcher = defineDispatcher((on) => {
  on(Counted, {
    trigger: [async ({ position }, { trx }) => trx.raw('insert into public.touched values (?)', [position])],
    async: [effect('exactly', true), effect('least', false)],
  })
})

export const CONNECTIONS = 8

/** How each of the connections meets the others. */
const WAYS = [
  'lock',
  'lock',
  'lock',
  'lock',
  'optimistic',
  'optimistic',
  'repeatable read',
  'serializable',
] as const

/**
 * Calls `each` commands on each of the connections, all at once; those that were carried out by an earlier, killed run act
 * no second time.
 *
 * @returns how often a command was refused for a conflict and called again by its caller.
 */
export async function countUp(url: string, each: number): Promise<number> {
  const conflicts = await Promise.all(
    WAYS.map(async (way, index) => {
      const isolation = way === 'repeatable read' || way === 'serializable' ? way : 'read committed'
      const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      const connection = { connectionString: url, options } as Knex.PgConnectionConfig
      const knex = createKnex({ client: 'pg', connection, pool: { min: 0, max: 1 } })
      dispatcher.attach(knex)
      let again = 0
      try {
        for (let n = 0; n < each; n += 1) again += await one(knex, way, `${index}-${n}`)
      } finally {
        await knex.destroy()
      }
      return again
    }),
  )
  return conflicts.reduce((sum, one) => sum + one, 0)
}

async function one(knex: Knex, way: (typeof WAYS)[number], idempotencyKey: string): Promise<number> {
  for (let again = 0; ; again += 1) {
    const options: CallOptions = { idempotencyKey, retries: 1_000 }
    const seen = way === 'optimistic' ? await Counters.get(knex, { id: 1 }) : null
    const expected = seen === null ? {} : { expectedVersion: versionOf(seen) }
    try {
      await CountUp.call(knex, { id: 1 }, { ...options, ...expected })
      return again
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
}
