import type { Knex } from 'knex'
import type { AggregateDefinition, AnyAggregate } from '../definition/index.js'
import { GateError } from '../errors/index.js'
import type { ShownRow } from './any-command.js'
import { isTransaction } from './call-command.js'
import { gone } from './command-errors.js'
import type { AppendedEvent, EventNames, KeyInput, State } from './command-types.js'
import { findRow, openReading, wholeKey } from './find-row.js'
import { stateOf } from './planned-rows.js'
import { keepVersion } from './shown-state.js'
import { type Change, type Point, streamAt, streamHistory } from './stream-history.js'

export interface FindOptions {
  /** Locks the row (FOR NO KEY UPDATE) until the transaction ends: give a transaction. @default false */
  readonly lock?: boolean
}

/** An event and what it changed. */
export type HistoryEvent<A extends AnyAggregate> = AppendedEvent<A, EventNames<A>> & {
  /** Columns whose value it changed, with their texts before and after. */
  readonly changed: readonly Change[]
  /** Whether it stands for what no declared event explains. */
  readonly residue: boolean
  /** Whether its time was inferred, since no column told it. */
  readonly inferred: boolean
  /** As what it is stored, where upcasts make it what it's seen as. */
  readonly stored: { readonly type: string; readonly schemaVersion: number }
}

/** Rows of an aggregate as commands see them, and how they came to be. */
export interface Repository<A extends AnyAggregate> {
  readonly aggregate: A
  /** The row; null where there is none. `versionOf` tells the version of its stream at that moment. */
  find(knex: Knex | Knex.Transaction, key: KeyInput<A>, options?: FindOptions): Promise<State<A> | null>
  /** The row; EW_COMMAND_GONE where there is none. */
  get(knex: Knex | Knex.Transaction, key: KeyInput<A>, options?: FindOptions): Promise<State<A>>
  /**
   * Its events in order of version, as the code of today sees them, each with what it changed: several of one version where
   * an upcast splits it. Empty where there are none.
   */
  history(knex: Knex | Knex.Transaction, key: KeyInput<A>): Promise<readonly HistoryEvent<A>[]>
  /**
   * The row as it was after a version (a number), or at a time (text as PostgreSQL reads it, in UTC where it names no
   * zone), folded from its events; null where there was none.
   */
  at(knex: Knex | Knex.Transaction, key: KeyInput<A>, point: Point): Promise<State<A> | null>
}

/**
 * The rows of an aggregate: to find, and to look back at.
 *
 * @example
 * const Subscriptions = repositoryOf(Subscription)
 * const subscription = await Subscriptions.get(knex, { id: 12 })
 * const before = await Subscriptions.at(knex, { id: 12 }, '2018-03-01')
 */
export function repositoryOf<const A extends AnyAggregate>(aggregate: A): Repository<A> {
  const definition: AggregateDefinition = aggregate
  const find = async (knex: Knex, key: object, { lock = false }: FindOptions = {}) => {
    if (lock && !isTransaction(knex)) throw lockNeedsTransaction(definition)
    return within(knex, async (trx) => {
      const reading = await openReading(trx, definition)
      const texts = await wholeKey(reading, { ...key })
      const found = await findRow(reading, texts, lock)
      return found === null
        ? null
        : keepVersion(stateOf(reading.binding, found.row) as ShownRow, found.version)
    })
  }
  return Object.freeze({
    aggregate,
    find,
    async get(knex: Knex, key: object, options?: FindOptions) {
      const found = await find(knex, key, options)
      if (found === null) throw gone({ where: definition.name, table: definition.table }, { ...key })
      return found
    },
    history: (knex: Knex, key: object) =>
      within(knex, async (trx) => streamHistory(await openReading(trx, definition), definition, { ...key })),
    at: (knex: Knex, key: object, point: Point) =>
      within(knex, async (trx) =>
        streamAt(await openReading(trx, definition), definition, { key: { ...key }, point }),
      ),
    // What each row and event is made of is known to the definition, and so to the compiler, alone.
  }) as unknown as Repository<A>
}

function within<T>(knex: Knex | Knex.Transaction, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return isTransaction(knex) ? work(knex) : knex.transaction(work)
}

function lockNeedsTransaction({ name }: AggregateDefinition): GateError {
  return new GateError('EW_LOCK_ALONE', `${name}: a row can't be kept locked beyond a transaction`, {
    next: 'Give `find` the transaction in which the row is used: knex.transaction((trx) => ...find(trx, ...)).',
  })
}
