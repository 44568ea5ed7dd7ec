import type { Knex } from 'knex'
import { literal, type Query, raw, sql } from '../sql/index.js'
import type { AppendedEvent } from './command-types.js'

/** An event that is about to be appended. */
export interface Upcoming {
  readonly aggregate: string
  readonly type: string
}

/** By type of event, the names of the reactors whose jobs are enqueued with it: `{ Activated: ['Confirm'] }`. */
export type Enqueued = Readonly<Record<string, readonly string[]>>

/** What takes part in the transaction of a command's events: reactors, projections. */
export interface Participant {
  /**
   * Whether it may call commands of its own in the transaction. Such ones come last: what the others write of an event must
   * be written before the events that it leads to.
   * @default false
   */
  readonly reacts?: boolean
  /**
   * Asked before anything is appended, of each aggregate's events: which jobs `appended` will enqueue in this transaction.
   * It becomes `enqueued` in the metadata of those events, so that whoever reads the log enqueues none of them again.
   */
  enqueues?(trx: Knex.Transaction, events: readonly Upcoming[]): Promise<Enqueued>
  /** The events were appended and the row is written. What it throws undoes all of it. */
  appended(trx: Knex.Transaction, events: readonly AppendedEvent[]): Promise<void>
}

/** Per configuration of a knex: its transactions have the same one. */
const attached = new WeakMap<object, readonly Participant[]>()

/**
 * From now on `participant` takes part in every command of this knex and of its transactions, after those that do already
 * and before those that react. Twice is once.
 *
 * @returns what takes it off again.
 */
export function participate(knex: Knex, participant: Participant): () => void {
  const config = configOf(knex)
  const others = (attached.get(config) ?? []).filter((one) => one !== participant)
  const all = [...others, participant]
  attached.set(config, [
    ...all.filter(({ reacts }) => reacts !== true),
    ...all.filter(({ reacts }) => reacts),
  ])
  return () => {
    const others = (attached.get(config) ?? []).filter((one) => one !== participant)
    attached.set(config, others)
  }
}

export function participantsOf(trx: Pick<Knex, 'client'>): readonly Participant[] {
  return attached.get(configOf(trx)) ?? []
}

/** What all of them enqueue. */
export async function enqueuedBy(
  participants: readonly Participant[],
  trx: Knex.Transaction,
  events: readonly Upcoming[],
): Promise<Enqueued> {
  const all: Record<string, readonly string[]> = {}
  for (const participant of participants) {
    const enqueued = (await participant.enqueues?.(trx, events)) ?? {}
    for (const [type, names] of Object.entries(enqueued)) all[type] = [...(all[type] ?? []), ...names]
  }
  return all
}

/** Public in knex's documentation for dialects, untyped: the client of a transaction has its knex's configuration. */
function configOf(knex: Pick<Knex, 'client'>): object {
  return knex.client.config as object
}

/**
 * SQL of whether a command's participants say, by `enqueues`, that they have seen to an event `e` under this name. A
 * command alone writes that of its own events: an import keeps what the metadata of another database said.
 */
export function enqueuedAs(name: string): Query {
  const mark = raw(literal(JSON.stringify([name])))
  return sql`coalesce(e.metadata ->> 'source' = 'command' and e.metadata -> 'enqueued' -> e.type @> ${mark}::pg_catalog.jsonb, false)`
}
