import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import type { BoundColumn, Encoding, TableDescription, Temporal } from '../definition/index.js'

/** The stored columns of a live table as the model sees them, in catalog order; generated ones are left out. */
export function boundColumns(table: CatalogTable, described: TableDescription): readonly BoundColumn[] {
  return table.columns
    .filter((column) => !column.generated)
    .map((column) => ({
      name: column.name,
      attnum: column.attnum,
      castType: column.castType,
      declaredType: column.type,
      encoding: encodingOf(column),
      faithful: isFaithful(column),
      composite: column.baseTypeKind === 'c',
      plainText: PLAIN_TEXT.has(builtInType(column)),
      nullable: column.nullable,
      temporal: temporalOf(column),
      known: Object.hasOwn(described.columns, column.name),
    }))
}

/** What `occurredAt` can be bound to on this column: domains count as their base type. */
export function temporalOf(column: CatalogColumn): Temporal | null {
  const name = builtInType(column)
  return name === 'timestamptz' || name === 'timestamp' || name === 'date' ? name : null
}

/** The name of a type of pg_catalog, domains resolved; '' for any other: a user's own `int4` is not ours to know. */
export function builtInType(column: CatalogColumn): string {
  return column.baseTypeSchema === 'pg_catalog' ? column.baseTypeName : ''
}

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['int2', 'number'],
  ['int4', 'number'],
  ['int8', 'number'],
  ['numeric', 'number'],
  ['bool', 'boolean'],
  ['jsonb', 'jsonb'],
])

const PLAIN_TEXT: ReadonlySet<string> = new Set(['text', 'varchar'])

/**
 * Types whose `=` holds exactly when the output texts are equal. Not numeric (1.1 = 1.10), floats (-0 = 0), bpchar
 * (trailing spaces), interval (30 days = 1 mon), jsonb (of numerics), arrays (of any of these), nor the time types of
 * a day, left out from caution; nor a domain over an enum, which has no `=` with the enum itself.
 */
const FAITHFUL: ReadonlySet<string> = new Set([
  'int2',
  'int4',
  'int8',
  'bool',
  'uuid',
  'date',
  'timestamp',
  'timestamptz',
  'bytea',
  'oid',
  'text',
  'varchar',
  'name',
])

function encodingOf(column: CatalogColumn): Encoding {
  return ENCODINGS.get(builtInType(column)) ?? 'text'
}

function isFaithful(column: CatalogColumn): boolean {
  const isEnum = column.baseTypeKind === 'e' && !column.domain
  return column.deterministic && (isEnum || FAITHFUL.has(builtInType(column)))
}
