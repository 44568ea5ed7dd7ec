import type { Session } from '../db/index.js'
import type { CatalogColumn, CatalogKey, CatalogTable } from './catalog-table.js'
import { readColumns } from './read-columns.js'
import { readKeys } from './read-keys.js'
import { type Relation, readRelations } from './read-relations.js'

/**
 * Reads tables from the live catalog, in three statements however many there are, ordered by schema and name.
 * Without `names`: all ordinary, partitioned and foreign tables of the schemas which no extension owns. With `names`:
 * every relation of one of these names, views included.
 * Takes ACCESS SHARE on each table for a moment (its size is asked for).
 */
export async function readTables(
  session: Session,
  schemas: readonly string[],
  names?: readonly string[],
): Promise<readonly CatalogTable[]> {
  const relations = await readRelations(session, schemas, names)
  if (relations.length === 0) return []
  const oids = relations.map((relation) => relation.oid)
  const columns = await readColumns(session, oids)
  const keys = await readKeys(session, oids)
  return relations.map((relation) => table(relation, columns.get(relation.oid), keys.get(relation.oid)))
}

/** Reads one table, or null where there is none of this name. */
export async function readTable(
  session: Session,
  schema: string,
  name: string,
): Promise<CatalogTable | null> {
  const [found] = await readTables(session, [schema], [name])
  return found ?? null
}

function table(
  relation: Relation,
  columns: readonly CatalogColumn[] = [],
  keys: readonly CatalogKey[] = [],
): CatalogTable {
  const key = keys.find((candidate) => !candidate.deferrable) ?? keys[0] ?? null
  return { ...relation, columns, key, keys }
}
