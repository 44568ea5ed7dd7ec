import type pg from 'pg'
import { expect } from 'vitest'
import { type Ledger, reconcile, type Texts } from '../../src/demo/ledger.js'
import { type LoadTable, readRows } from './load-table.js'

/** The rows of every table, by table and key. */
export type AllRows = ReadonlyMap<string, ReadonlyMap<string, Texts>>

/** Reads all rows of all tables, as one snapshot. */
export async function readAllRows(admin: pg.Client, tables: readonly LoadTable[]): Promise<AllRows> {
  await admin.query('begin isolation level repeatable read')
  const rows = new Map<string, ReadonlyMap<string, Texts>>()
  for (const table of tables) rows.set(table.name, await readRows(admin, table))
  await admin.query('commit')
  return rows
}

/** Expects that each row of each table is what the ledger says, and what nobody touched is as it was. */
export async function expectReconciled(
  admin: pg.Client,
  tables: readonly LoadTable[],
  before: AllRows,
  ledger: Ledger,
): Promise<void> {
  const now = await readAllRows(admin, tables)
  const wrong = tables.flatMap(({ name }) =>
    reconcile(
      before.get(name) ?? new Map(),
      ledger.writes.filter(({ table }) => table === name),
      now.get(name) ?? new Map(),
    ).map((one) => ({ table: name, ...one })),
  )
  expect({ count: wrong.length, first: wrong.slice(0, 3) }).toEqual({ count: 0, first: [] })
}
