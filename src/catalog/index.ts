/**
 * Reads what pg_catalog says about tables: columns, types, keys, the operators of a key's order. Knows a session and
 * SQL text; must never know a definition, an event, or the rows of a table.
 */
export type { CatalogColumn, CatalogKey, CatalogKeyColumn, CatalogTable } from './catalog-table.js'
export { readTable, readTables } from './read-tables.js'
export { readKeyShape, readRowShape, rowShapeQuery } from './row-shape.js'
export { type UnsupportedReason, unsupportedReasons } from './unsupported-reasons.js'
