import { existsSync } from 'node:fs'
import { describeTable } from '../bind/index.js'
import { type CatalogTable, readTables } from '../catalog/index.js'
import { loadModule } from '../config/index.js'
import type { Session } from '../db/index.js'
import { type ColumnDescription, type TableDescription, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { readOwnTables } from '../migrate/index.js'

/** What has moved in the catalog since `eventward.tables.ts` was written. */
export interface TableChange {
  readonly table: string
  /** The column, or null where it is the table itself or its key. */
  readonly column: string | null
  /** In words: `was integer, is bigint`. */
  readonly change: string
}

export interface CheckedTables {
  readonly changes: readonly TableChange[]
  /** Tables of the schemas that the file doesn't have; no change. */
  readonly unlisted: readonly string[]
}

/**
 * Compares `eventward.tables.ts` with the live catalog, table by table and column by column.
 *
 * @throws UsageError EW_TABLES_MISSING, EW_TABLES_INVALID where the file can't be read.
 */
export async function checkTables(
  session: Session,
  schemas: readonly string[],
  file: string,
): Promise<CheckedTables> {
  const described = await describedTables(file)
  const wanted = [...new Set([...schemas, ...described.map(({ schema }) => schema)])]
  const ours = await readOwnTables(session)
  const live = (await readTables(session, wanted)).filter(({ oid }) => !ours.has(oid))
  const find = ({ schema, name }: TableDescription) =>
    live.find((table) => table.schema === schema && table.name === name)
  const listed = new Set(described.map(tableName))
  return {
    changes: described.flatMap((table) => tableChanges(table, find(table))),
    unlisted: live.map(tableName).filter((name) => !listed.has(name)),
  }
}

/** Says what differs between a description and the live table. Pure. */
export function tableChanges(
  described: TableDescription,
  live: CatalogTable | undefined,
): readonly TableChange[] {
  const table = tableName(described)
  if (live === undefined) return [{ table, column: null, change: 'is gone' }]
  const changes: TableChange[] = []
  const add = (column: string | null, change: string) => changes.push({ table, column, change })
  const isKey = live.keys.some(({ columns }) =>
    sameList(
      columns.map(({ name }) => name),
      described.key,
    ),
  )
  if (!isKey) {
    const key = live.key?.columns.map(({ name }) => name).join(', ') ?? 'none'
    add(null, `key was (${described.key.join(', ')}), is (${key})`)
  }
  const columns = new Map(Object.entries(describeTable(live).columns))
  for (const [name, was] of Object.entries(described.columns)) {
    const is = columns.get(name)
    if (is === undefined) add(name, 'is gone')
    else for (const change of columnChanges(was, is)) add(name, change)
  }
  for (const name of columns.keys()) {
    if (!Object.hasOwn(described.columns, name)) add(name, `is new (${columns.get(name)?.type})`)
  }
  return changes
}

function columnChanges(was: ColumnDescription, is: ColumnDescription): readonly string[] {
  const changes: string[] = []
  if (was.type !== is.type) changes.push(`was ${was.type}, is ${is.type}`)
  if (was.nullable !== is.nullable) changes.push(is.nullable ? 'may be NULL now' : 'is NOT NULL now')
  if ((was.generated ?? false) !== (is.generated ?? false)) {
    changes.push(is.generated ? 'is generated now' : 'is stored now')
  }
  if ((was.hasDefault ?? false) !== (is.hasDefault ?? false)) {
    changes.push(is.hasDefault ? 'has a default now' : 'has no default any more')
  }
  if (was.base !== is.base) changes.push(`the type under ${is.type} was ${was.base}, is ${is.base}`)
  if (!sameList(was.values ?? [], is.values ?? [])) {
    changes.push(`labels were ${(was.values ?? []).join(', ')}; are ${(is.values ?? []).join(', ')}`)
  }
  return changes
}

async function describedTables(file: string): Promise<readonly TableDescription[]> {
  if (!existsSync(file)) {
    throw new UsageError('EW_TABLES_MISSING', `there is no file ${file}`, {
      next: 'Run `eventward generate`.',
    })
  }
  const invalid = (cause?: unknown) =>
    new UsageError('EW_TABLES_INVALID', `${file} does not export tables`, {
      next: 'Run `eventward generate` to write it afresh.',
      cause,
    })
  const exported = await loadModule(file).catch((cause: unknown) => {
    throw invalid(cause)
  })
  const tables =
    typeof exported === 'object' && exported !== null && 'tables' in exported ? exported.tables : null
  if (typeof tables !== 'object' || tables === null) throw invalid()
  const described = Object.values(tables as Readonly<Record<string, unknown>>)
  if (!described.every(isDescription)) throw invalid()
  return described
}

function isDescription(value: unknown): value is TableDescription {
  return (
    typeof value === 'object' && value !== null && 'columns' in value && 'key' in value && 'name' in value
  )
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((member, index) => member === right[index])
}
