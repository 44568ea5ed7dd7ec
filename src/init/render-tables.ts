import { describeTable } from '../bind/index.js'
import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import { type ColumnDescription, tableName } from '../definition/index.js'
import { listSource, objectSource, propertyName, stringLiteral } from './source-text.js'
import { uniqueNames } from './unique-names.js'
import { pascalCase, words } from './words.js'

/** The text of `eventward.tables.ts`: a row type and a description for each table. Pure. */
export function renderTables(tables: readonly CatalogTable[]): string {
  const rows = rowTypeNames(tables)
  const interfaces = tables.map((table) => rowInterface(table, rows.get(table) ?? ''))
  const members = tables.map((table) => `  ${propertyName(tableName(table))}: ${tableSource(table, rows)},\n`)
  const body = `${interfaces.join('\n')}\nexport const tables = {\n${members.join('')}}\n`
  if (tables.length === 0) return `${HEADER}export const tables = {}\n`
  const types = ['Integer', 'Numeric'].filter((type) => interfaces.some((text) => text.includes(`: ${type}`)))
  const imports = ['defineTable', ...types.map((type) => `type ${type}`)]
  return `${HEADER}import { ${imports.join(', ')} } from 'eventward'\n\n${body}`
}

const HEADER = `// Written by \`eventward generate\` from the database's catalog. Don't edit: run it again when the schema has changed.
`

function rowTypeNames(tables: readonly CatalogTable[]): ReadonlyMap<CatalogTable, string> {
  const names = uniqueNames(tables, ({ name }) => pascalCase(words(name)) || 'Table')
  return new Map([...names].map(([table, name]) => [table, `${name}Row`]))
}

function rowInterface(table: CatalogTable, name: string): string {
  const members = table.columns.map((column) => `  ${memberName(column.name)}: ${rowType(column)}\n`)
  return `export interface ${name} {\n${members.join('')}}\n`
}

/** An interface has no prototype to set, and takes no computed name. */
function memberName(column: string): string {
  return column === '__proto__' ? stringLiteral(column) : propertyName(column)
}

const ROW_TYPES: ReadonlyMap<string, string> = new Map([
  ['int2', 'Integer'],
  ['int4', 'Integer'],
  ['int8', 'Integer'],
  ['oid', 'Integer'],
  ['numeric', 'Numeric'],
  ['float4', 'Numeric'],
  ['float8', 'Numeric'],
  ['bool', 'boolean'],
])

function rowType(column: CatalogColumn): string {
  const builtIn = column.baseTypeSchema === 'pg_catalog' ? ROW_TYPES.get(column.baseTypeName) : undefined
  const labels = column.enumLabels ?? []
  const type = labels.length > 0 ? labels.map(stringLiteral).join(' | ') : (builtIn ?? 'string')
  return column.nullable ? `${type} | null` : type
}

function tableSource(table: CatalogTable, rows: ReadonlyMap<CatalogTable, string>): string {
  const { schema, name, key, columns } = describeTable(table)
  const members = Object.entries(columns).map(
    ([column, description]) => `      ${propertyName(column)}: ${columnSource(column, description)},\n`,
  )
  return `defineTable<${rows.get(table)}>()({
    schema: ${stringLiteral(schema)},
    name: ${stringLiteral(name)},
    key: ${listSource(key.map(stringLiteral), '    ', 'key: ')},
    columns: {
${members.join('')}    },
  })`
}

function columnSource(name: string, description: ColumnDescription): string {
  const members = Object.entries(description).map(([property, value]) => `${property}: ${valueSource(value)}`)
  return objectSource(members, '      ', `${propertyName(name)}: `)
}

function valueSource(value: string | boolean | readonly string[]): string {
  if (typeof value === 'string') return stringLiteral(value)
  return typeof value === 'boolean' ? String(value) : `[${value.map(stringLiteral).join(', ')}]`
}
