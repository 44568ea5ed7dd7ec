import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import type { ColumnDescription, TableDescription } from '../definition/index.js'

/**
 * A table as far as its description tells: the inverse of `describeTable`, for whoever has no server. Estimates, oids,
 * indexes and the text of defaults are not in a description; the key is taken as one that could be walked. Pure.
 */
export function describedTable(described: TableDescription): CatalogTable {
  const key = {
    index: `${described.name}_pkey`,
    primary: true,
    deferrable: false,
    walkable: true,
    columns: described.key.map((name) => ({
      name,
      less: 'operator(pg_catalog.<)',
      greater: 'operator(pg_catalog.>)',
      equal: 'operator(pg_catalog.=)',
      builtIn: true,
      asBase: false,
    })),
  }
  return {
    oid: '0',
    schema: described.schema,
    name: described.name,
    kind: 'plain',
    hasInheritanceChildren: false,
    columns: Object.entries(described.columns).map(([name, column], index) =>
      describedColumn(name, column, index + 1),
    ),
    key,
    keys: [key],
    persistence: 'permanent',
    unloggedLeaf: null,
    rowEstimate: null,
    bytes: '0',
    hasRules: false,
  }
}

function describedColumn(name: string, column: ColumnDescription, attnum: number): CatalogColumn {
  const { type, nullable, generated = false, hasDefault = false, values = null } = column
  const { schema, base } = baseOf(column)
  return {
    name,
    attnum,
    typeOid: '0',
    type,
    castType: `"${schema}"."${base}"`,
    baseTypeName: base,
    baseTypeSchema: schema,
    baseTypeKind: values === null ? 'b' : 'e',
    baseTypeCategory: base.startsWith('_') ? 'A' : values === null ? 'U' : 'E',
    domain: column.base !== undefined,
    nullable,
    generated,
    identity: false,
    default: hasDefault ? 'default' : null,
    enumLabels: values,
    deterministic: true,
  }
}

/** `pg_type`'s names of what `format_type` calls otherwise. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['smallint', 'int2'],
  ['integer', 'int4'],
  ['bigint', 'int8'],
  ['real', 'float4'],
  ['double precision', 'float8'],
  ['boolean', 'bool'],
  ['character', 'bpchar'],
  ['character varying', 'varchar'],
  ['timestamp with time zone', 'timestamptz'],
  ['timestamp without time zone', 'timestamp'],
  ['time with time zone', 'timetz'],
  ['time without time zone', 'time'],
  ['bit varying', 'varbit'],
  ['"char"', 'char'],
])

/** A type of another schema is told by its name; an enum of an unknown schema is no type of pg_catalog either. */
function baseOf({ type, base, values }: ColumnDescription): {
  readonly schema: string
  readonly base: string
} {
  if (base !== undefined) return { schema: 'pg_catalog', base }
  const array = type.endsWith('[]')
  const plain = type.replace(/\[\]$/, '').replace(/\([^)]*\)/, '')
  const [schema, name] = plain.includes('.') ? splitName(plain) : ['pg_catalog', plain]
  const known = NAMES.get(name) ?? name
  return {
    schema: values !== undefined && schema === 'pg_catalog' ? 'public' : schema,
    base: array ? `_${known}` : known,
  }
}

function splitName(name: string): readonly [string, string] {
  const dot = name.indexOf('.')
  return [name.slice(0, dot), name.slice(dot + 1)]
}
