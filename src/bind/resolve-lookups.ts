import { type CatalogColumn, type CatalogTable, readTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type Assignment, nearestName, type Text } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'
import { canonicalTexts } from './canonical-texts.js'

/** A column of `set` that takes the key of a row of another table. */
export interface Lookup {
  readonly assignment: Extract<Assignment, { readonly kind: 'lookup' }>
  readonly column: CatalogColumn
  readonly where: string
}

/**
 * Finds the row of each lookup and gives its key in the canonical text of the column that it is set to. The answer is
 * pinned in the model: ids differ between environments, but not in one.
 *
 * @throws UsageError EW_LOOKUP where not exactly one row matches, or the table has no key of one column.
 */
export async function resolveLookups(session: Session, lookups: readonly Lookup[]): Promise<readonly Text[]> {
  const keys: string[] = []
  for (const lookup of lookups) keys.push(await findKey(session, lookup))
  const requests = lookups.map(({ column, where }, index) => ({ column, where, value: keys[index] ?? null }))
  return canonicalTexts(session, requests)
}

async function findKey(session: Session, { assignment, where }: Lookup): Promise<string> {
  const { table: described, where: criteria } = assignment
  const name = `${described.schema}.${described.name}`
  const table = await readTable(session, described.schema, described.name)
  const [key, ...more] = described.key
  if (table === null || key === undefined || more.length > 0 || columnOf(table, key) === undefined) {
    throw refusal(where, `${name} is no table with a key of one column`, 'Look up by a table that has one.')
  }
  const criterionColumns = Object.entries(criteria).map(([column, value]) => {
    const found = columnOf(table, column)
    if (found !== undefined) return { column: found, value, where: `${where}: lookup in ${name}.${column}` }
    const columns = table.columns.map((other) => other.name)
    throw refusal(
      where,
      `${name} has no column ${JSON.stringify(column)}`,
      `${nearestName(column, columns)}Its columns: ${columns.join(', ')}.`,
    )
  })
  const texts = await canonicalTexts(session, criterionColumns)
  const conditions = criterionColumns.map(({ column }, index) => {
    const text = texts[index] ?? null
    const stored = raw(`t.${ident(column.name)}`)
    return text === null
      ? sql`and ${stored} is null`
      : sql`and ${stored} is not null and format('%s', ${stored}) collate "C" = ${text}::text`
  })
  const all = conditions.reduce((left, right) => sql`${left} ${right}`, sql``)
  const rows = await session.rows<{ readonly key: string }>(sql`
    select format('%s', t.${raw(ident(key))}) as key
    from ${raw(qualified(table.schema, table.name))} t
    where true ${all}
    limit 2`)
  const [row] = rows
  if (row !== undefined && rows.length === 1) return row.key
  const wanted = JSON.stringify(criteria, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  throw refusal(
    where,
    `${rows.length === 0 ? 'no row' : 'more than one row'} of ${name} matches ${wanted}`,
    `Make sure that exactly one row of ${name} does, in this database too.`,
  )
}

function columnOf(table: CatalogTable, name: string): CatalogColumn | undefined {
  return table.columns.find((column) => column.name === name)
}

function refusal(where: string, what: string, next: string): UsageError {
  return new UsageError('EW_LOOKUP', `${where}: ${what}`, { next })
}
