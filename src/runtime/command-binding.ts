import type { Knex } from 'knex'
import { bindAggregate, shapeId } from '../bind/index.js'
import type { CatalogTable } from '../catalog/index.js'
import type { AggregateDefinition, BoundModel } from '../definition/index.js'
import { compileFold, type Folder } from '../fold/index.js'
import { type EventsName, modelUnderAnySettings, type TypedKey, typedKey } from '../sql/index.js'
import { frozenShapes, requireEventsTable, toolVersion, unregisteredShapes } from '../store/index.js'
import type { CallerConnection } from './caller-connection.js'
import { readingSession } from './caller-session.js'

/** A definition bound to a database: all that a command needs to know of it. Kept while the row shape stays. */
export interface Binding {
  readonly model: BoundModel
  /** The same for SQL that runs under the application's settings: what a setting changes is written by `eventward.enc`. */
  readonly anywhere: BoundModel
  readonly table: CatalogTable
  readonly key: TypedKey
  readonly events: EventsName
  readonly apply: Folder
  /** The row shape under which it was bound: see `row-shape-sql.ts`. */
  readonly shape: string
  /** Events that may not be written: `["Activated",2]`. */
  readonly unregistered: ReadonlySet<string>
  /** What each event's metadata says of the code that wrote it. */
  readonly origin: Readonly<Record<'definition' | 'shape' | 'writer', string>>
}

/** What of it says what events mean: all that is needed to plan them. */
export type Meaning = Pick<Binding, 'model' | 'table' | 'apply'>

/** Per configuration of a knex, definition and database, since the parts of one pool may lead to several databases. */
const known = new WeakMap<object, WeakMap<AggregateDefinition, Map<string, Binding>>>()

interface BindingRequest {
  readonly knex: Pick<Knex, 'client'>
  readonly connection: CallerConnection
  readonly definition: AggregateDefinition
  readonly database: string
  /** The row shape, as read under the command's lock on the table: it can't move while we bind. */
  readonly shape: string
}

/**
 * The binding of a definition to the database of a transaction, through its connection. Bound once per process; anew
 * where DDL has moved the row shape since, so that no row is written by a stale list of columns. Call it under a lock on
 * the table.
 *
 * @throws UsageError where the definition does not fit the table, or eventward is not installed.
 */
export async function bindingOf(request: BindingRequest, afresh = false): Promise<Binding> {
  const byDatabase = bindingsOf(request.knex, request.definition)
  const found = byDatabase.get(request.database)
  if (!afresh && found !== undefined && found.shape === request.shape) return found
  const binding = await bind(request)
  byDatabase.set(request.database, binding)
  return binding
}

/**
 * The binding that was last used through this knex, if it leads to one database only: what may be asked by it before its
 * row shape is known to be the present one.
 */
export function likelyBinding(
  knex: Pick<Knex, 'client'>,
  definition: AggregateDefinition,
): Binding | undefined {
  const byDatabase = bindingsOf(knex, definition)
  return byDatabase.size === 1 ? byDatabase.values().next().value : undefined
}

/** Binds anew at the next command. */
export function forgetBindings(knex: Pick<Knex, 'client'>, definition: AggregateDefinition): void {
  bindingsOf(knex, definition).clear()
}

function bindingsOf({ client }: Pick<Knex, 'client'>, definition: AggregateDefinition): Map<string, Binding> {
  const config = client.config as object
  const byDefinition = known.get(config) ?? new WeakMap<AggregateDefinition, Map<string, Binding>>()
  known.set(config, byDefinition)
  const byDatabase = byDefinition.get(definition) ?? new Map<string, Binding>()
  byDefinition.set(definition, byDatabase)
  return byDatabase
}

async function bind({ connection, definition, shape }: BindingRequest): Promise<Binding> {
  const session = readingSession(connection)
  const events = await requireEventsTable(session)
  const frozen = await frozenShapes(session, definition.name)
  const { model, table } = await bindAggregate(session, definition, { frozen })
  return {
    model,
    anywhere: modelUnderAnySettings(model),
    table,
    key: typedKey(model, table.key?.columns ?? []),
    events,
    apply: compileFold(model),
    shape,
    unregistered: new Set(
      unregisteredShapes(model, frozen).map(({ type, schemaVersion }) => eventKey(type, schemaVersion)),
    ),
    origin: {
      definition: model.hash.slice(0, 12),
      shape: shapeId(model),
      writer: `eventward/${toolVersion()}`,
    },
  }
}

/** How `unregistered` names an event. */
export function eventKey(type: string, schemaVersion: number): string {
  return JSON.stringify([type, schemaVersion])
}
