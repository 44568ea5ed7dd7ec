import { type CatalogTable, readTables, unsupportedReasons } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import {
  type AggregateDefinition,
  type BoundModel,
  checkDefinition,
  type EventShape,
  nearestName,
  type RowHistory,
} from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { assembleModel } from './assemble-model.js'
import { describeTable } from './describe-table.js'
import { freezeDeep } from './freeze-deep.js'
import { resolveValues } from './resolve-values.js'

export interface BindOptions {
  /** Shapes under which events may be stored already; those that the code no longer declares are kept for fold. */
  readonly frozen?: readonly EventShape[]
  /** Row shapes under which events were written: for whoever folds stored ones. See `storedShapes`. @default null */
  readonly history?: RowHistory | null
}

export interface BoundAggregate {
  readonly model: BoundModel
  /** The live table; its `key` is the one that the definition uses. */
  readonly table: CatalogTable
}

/**
 * Binds a definition to the live table: the frozen model that fold, recognise and the SQL compiler take. Reads only;
 * three statements for the table, one for all constants, more where the definition looks something up.
 *
 * @throws UsageError naming what in the definition does not fit the table, and what to do.
 */
export async function bindAggregate(
  session: Session,
  definition: AggregateDefinition,
  options: BindOptions = {},
): Promise<BoundAggregate> {
  const { schema, name } = definition.table
  const [table] = await readTables(session, [schema], [name])
  return bindTo(session, definition, {
    live: table,
    frozen: options.frozen ?? [],
    history: options.history ?? null,
  })
}

/**
 * Binds many definitions, reading all their tables in three statements. See `bindAggregate`.
 *
 * @throws UsageError for the first that does not fit.
 */
export async function bindAggregates(
  session: Session,
  definitions: readonly AggregateDefinition[],
  options: { readonly frozen?: (definition: AggregateDefinition) => readonly EventShape[] } = {},
): Promise<readonly BoundAggregate[]> {
  const schemas = new Set(definitions.map(({ table }) => table.schema))
  const names = new Set(definitions.map(({ table }) => table.name))
  const tables = new Map(
    (await readTables(session, [...schemas], [...names])).map((table) => [place(table), table]),
  )
  const bound: BoundAggregate[] = []
  for (const definition of definitions) {
    const live = tables.get(place(definition.table))
    bound.push(await bindTo(session, definition, { live, frozen: options.frozen?.(definition) ?? [] }))
  }
  return bound
}

const place = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
  JSON.stringify([schema, name])

async function bindTo(
  session: Session,
  definition: AggregateDefinition,
  {
    live,
    frozen,
    history = null,
  }: {
    readonly live: CatalogTable | undefined
    readonly frozen: readonly EventShape[]
    readonly history?: RowHistory | null
  },
): Promise<BoundAggregate> {
  if (live === undefined) throw await unknownTable(session, definition)
  const table = withKey(supported(live, definition), definition)
  checkDefinition(definition, describeTable(table))
  const values = await resolveValues(session, definition, { table, frozen })
  return freezeDeep({ model: assembleModel(definition, table, { values, frozen, history }), table })
}

async function unknownTable(session: Session, definition: AggregateDefinition): Promise<UsageError> {
  const { schema, name } = definition.table
  const others = (await readTables(session, [schema])).map((other) => other.name)
  return new UsageError('EW_TABLE_UNKNOWN', `${definition.name}: there is no table ${schema}.${name}`, {
    next: `${nearestName(name, others)}Check the database that you are connected to, or run \`eventward generate\`.`,
    details: { aggregate: definition.name, schema, table: name },
  })
}

function supported(table: CatalogTable, definition: AggregateDefinition): CatalogTable {
  const [reason] = unsupportedReasons(table)
  if (reason === undefined) return table
  throw new UsageError(reason.code, `${definition.name}: ${table.schema}.${table.name} ${reason.message}`, {
    next: reason.next,
    details: { aggregate: definition.name, schema: table.schema, table: table.name },
  })
}

/** The stream's id is made of the key that the definition names, so another key that came along later is no matter. */
function withKey(table: CatalogTable, definition: AggregateDefinition): CatalogTable {
  const wanted = JSON.stringify(definition.table.key)
  const key = table.keys.find(
    ({ columns, deferrable }) => !deferrable && JSON.stringify(columns.map(({ name }) => name)) === wanted,
  )
  if (key !== undefined) return { ...table, key }
  const described = definition.table.key.join(', ')
  throw new UsageError(
    'EW_KEY_MOVED',
    `${definition.name}: (${described}) is not a key of ${table.schema}.${table.name}`,
    {
      next: `The key is (${table.key?.columns.map(({ name }) => name).join(', ')}): run \`eventward generate\`.`,
      details: { aggregate: definition.name, schema: table.schema, table: table.name },
    },
  )
}
