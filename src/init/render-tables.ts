import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import { listSource, objectSource, propertyName, stringLiteral } from './source-text.js'
import { uniqueNames } from './unique-names.js'
import { pascalCase, words } from './words.js'

/** How the command line and `tables` name a table: bare in public, `schema.name` elsewhere. */
export function tableName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === 'public' ? name : `${schema}.${name}`
}

/** The text of `eventward.tables.ts`: a row type and a description for each table. Pure. */
export function renderTables(tables: readonly CatalogTable[]): string {
  const rows = rowTypeNames(tables)
  const interfaces = tables.map((table) => rowInterface(table, rows.get(table) ?? ''))
  const members = tables.map((table) => `  ${propertyName(tableName(table))}: ${description(table, rows)},\n`)
  const body = `${interfaces.join('\n')}\nexport const tables = {\n${members.join('')}}\n`
  const types = ['Integer', 'Numeric'].filter((type) => interfaces.some((text) => text.includes(`: ${type}`)))
  return `${HEADER}import { ${[...types.map((type) => `type ${type}`), 'defineTable'].join(', ')} } from 'eventward'\n\n${body}`
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

function description(table: CatalogTable, rows: ReadonlyMap<CatalogTable, string>): string {
  const key = table.key?.columns.map(({ name }) => stringLiteral(name)) ?? []
  const columns = table.columns.map(
    (column) => `      ${propertyName(column.name)}: ${columnDescription(column)},\n`,
  )
  return `defineTable<${rows.get(table)}>()({
    schema: ${stringLiteral(table.schema)},
    name: ${stringLiteral(table.name)},
    key: ${listSource(key, '    ', 'key: ')},
    columns: {
${columns.join('')}    },
  })`
}

function columnDescription(column: CatalogColumn): string {
  const members = [`type: ${stringLiteral(column.type)}`, `nullable: ${column.nullable}`]
  if (column.default !== null || column.identity) members.push('hasDefault: true')
  if (column.generated) members.push('generated: true')
  if (column.enumLabels !== null) {
    members.push(`values: [${column.enumLabels.map(stringLiteral).join(', ')}]`)
  }
  return objectSource(members, '      ', `${propertyName(column.name)}: `)
}
