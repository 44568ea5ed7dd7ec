import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import type { ColumnDescription, TableDescription } from '../definition/index.js'

/** A live table in the form in which `eventward.tables.ts` describes it. Pure. */
export function describeTable(table: CatalogTable): TableDescription {
  return {
    schema: table.schema,
    name: table.name,
    key: table.key?.columns.map(({ name }) => name) ?? [],
    columns: Object.fromEntries(table.columns.map((column) => [column.name, describeColumn(column)])),
  }
}

/** Members that say nothing are left out, as in the file. */
function describeColumn(column: CatalogColumn): ColumnDescription {
  const ofCatalog = column.baseTypeSchema === 'pg_catalog'
  return {
    type: column.type,
    nullable: column.nullable,
    ...(column.default !== null || column.identity ? { hasDefault: true } : {}),
    ...(column.generated ? { generated: true } : {}),
    ...(column.enumLabels === null ? {} : { values: column.enumLabels }),
    ...(column.domain && ofCatalog ? { base: column.baseTypeName } : {}),
  }
}
