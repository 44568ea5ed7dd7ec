import type pg from 'pg'
import { type CatalogColumn, type CatalogTable, readTable } from '../../src/catalog/index.js'
import type { Database } from '../../src/db/index.js'
import type { Texts } from '../../src/demo/ledger.js'
import { streamId } from '../../src/encode/index.js'
import { ident, qualified } from '../../src/sql/index.js'

/** A table that a load writes to: all it knows is what the catalog says and some of the rows. */
export interface LoadTable {
  readonly name: string
  readonly qualified: string
  /** Those that a statement may set: not generated. */
  readonly columns: readonly CatalogColumn[]
  readonly key: readonly CatalogColumn[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Columns that another table's foreign key names: changing them would change rows elsewhere, or be refused. */
  readonly referenced: ReadonlySet<string>
  /** Whether a delete changes rows elsewhere (cascade, set null, set default). */
  readonly deleteReaches: boolean
  /** Rows to copy values from. */
  readonly samples: Texts[]
  /** Keys that may be there. */
  readonly keys: (readonly string[])[]
  /** The greatest key of one integer column so far, or null where the key is another. */
  greatest: bigint | null
}

export interface ForeignKey {
  readonly columns: readonly string[]
  readonly parent: string
  readonly parentColumns: readonly string[]
}

/** Reads the tables by their names in `public`, with `sampled` rows of each. */
export async function readLoadTables(
  database: Database,
  admin: pg.Client,
  names: readonly string[],
  sampled = 400,
): Promise<readonly LoadTable[]> {
  const tables: LoadTable[] = []
  for (const name of names) {
    const catalog = await database.session((session) => readTable(session, 'public', name))
    if (catalog === null) throw new Error(`there is no table ${name}`)
    tables.push(await loadTable(admin, catalog, sampled))
  }
  return tables
}

/** Every row of the table as texts, by key. */
export async function readRows(admin: pg.Client, table: LoadTable): Promise<ReadonlyMap<string, Texts>> {
  const { rows } = await admin.query<Texts>(`select * from ${table.qualified}`)
  return new Map(rows.map((row) => [keyIn(table, row), row]))
}

/** The key of a row as one text. */
export function keyIn({ key }: Pick<LoadTable, 'key'>, row: Texts): string {
  return streamId(key.map(({ name }) => row[name] ?? ''))
}

async function loadTable(admin: pg.Client, catalog: CatalogTable, sampled: number): Promise<LoadTable> {
  const place = qualified(catalog.schema, catalog.name)
  const key = (catalog.key?.columns ?? []).map(
    ({ name }) => catalog.columns.find((column) => column.name === name)!,
  )
  const { rows: samples } = await admin.query<Texts>(
    `select * from ${place} order by random() limit ${sampled}`,
  )
  const [first] = key
  const numbered = key.length === 1 && first !== undefined && /^int[248]$/.test(first.baseTypeName)
  const greatest = numbered
    ? (
        await admin.query<{ top: string }>(
          `select coalesce(max(${ident(first.name)}), 0) as top from ${place}`,
        )
      ).rows[0]?.top
    : undefined
  return {
    name: catalog.name,
    qualified: place,
    columns: catalog.columns.filter(({ generated }) => !generated),
    key,
    foreignKeys: await foreignKeys(admin, catalog.oid),
    ...(await references(admin, catalog.oid)),
    samples,
    keys: samples.map((row) => key.map(({ name }) => row[name]!)),
    greatest: greatest === undefined ? null : BigInt(greatest),
  }
}

async function foreignKeys(admin: pg.Client, oid: string): Promise<readonly ForeignKey[]> {
  const { rows } = await admin.query<Record<'columns' | 'parent' | 'parent_columns', string>>(
    `select to_json(array(${columnNames('conrelid', 'conkey')})) as columns,
       (select relname from pg_class where oid = confrelid) as parent,
       to_json(array(${columnNames('confrelid', 'confkey')})) as parent_columns
     from pg_constraint c
     where contype = 'f' and conrelid = $1::oid`,
    [oid],
  )
  return rows.map((row) => ({
    columns: JSON.parse(row.columns) as string[],
    parent: row.parent,
    parentColumns: JSON.parse(row.parent_columns) as string[],
  }))
}

async function references(admin: pg.Client, oid: string) {
  const { rows } = await admin.query<Record<'columns' | 'reaches', string>>(
    `select to_json(array(${columnNames('confrelid', 'confkey')})) as columns, confdeltype in ('c', 'n', 'd') as reaches
     from pg_constraint c
     where contype = 'f' and confrelid = $1::oid`,
    [oid],
  )
  return {
    referenced: new Set(rows.flatMap(({ columns }) => JSON.parse(columns) as string[])),
    deleteReaches: rows.some(({ reaches }) => reaches === 't'),
  }
}

/** Names of a constraint's columns, in its order. */
function columnNames(relation: string, numbers: string): string {
  return `select a.attname from unnest(c.${numbers}) with ordinality as k (attnum, place)
    join pg_attribute a on a.attrelid = c.${relation} and a.attnum = k.attnum order by k.place`
}
