import type { CatalogColumn, CatalogTable } from '../../src/catalog/index.js'

const CATEGORIES: Readonly<Record<string, string>> = {
  int4: 'N',
  int8: 'N',
  numeric: 'N',
  bool: 'B',
  text: 'S',
  varchar: 'S',
  bpchar: 'S',
  date: 'D',
  timestamp: 'D',
  timestamptz: 'D',
}

/** A column of a type of pg_catalog as the catalog would give it; the rest can be said. */
export function column(name: string, type: string, more: Partial<CatalogColumn> = {}): CatalogColumn {
  return {
    name,
    attnum: 1,
    typeOid: '0',
    type,
    castType: `"pg_catalog"."${type}"`,
    baseTypeName: type,
    baseTypeSchema: 'pg_catalog',
    baseTypeKind: 'b',
    baseTypeCategory: CATEGORIES[type] ?? 'U',
    domain: false,
    nullable: true,
    generated: false,
    identity: false,
    default: null,
    enumLabels: null,
    deterministic: true,
    ...more,
  }
}

/** An enum column. */
export function enumColumn(name: string, enumLabels: readonly string[], more: Partial<CatalogColumn> = {}) {
  const type = { type: `public.${name}`, castType: `"public"."${name}"`, baseTypeName: name }
  return column(name, name, {
    ...type,
    baseTypeSchema: 'public',
    baseTypeKind: 'e',
    baseTypeCategory: 'E',
    enumLabels,
    ...more,
  })
}

/** A plain table whose key is its first column. */
export function catalogTable(
  name: string,
  columns: readonly CatalogColumn[],
  more: Partial<CatalogTable> = {},
): CatalogTable {
  const operators = {
    less: 'operator(pg_catalog.<)',
    equal: 'operator(pg_catalog.=)',
    greater: 'operator(pg_catalog.>)',
    builtIn: true,
    asBase: false,
  }
  const [first] = columns
  const key = {
    index: `${name}_pkey`,
    primary: true,
    deferrable: false,
    walkable: true,
    columns: [{ name: first?.name ?? 'id', ...operators }],
  }
  return {
    oid: '1',
    schema: 'public',
    name,
    kind: 'plain',
    hasInheritanceChildren: false,
    columns: columns.map((each, index) => ({ ...each, attnum: index + 1 })),
    key,
    keys: [key],
    rowEstimate: '10',
    bytes: '8192',
    hasRules: false,
    persistence: 'permanent',
    unloggedLeaf: null,
    ...more,
  }
}
