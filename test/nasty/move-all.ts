import type pg from 'pg'
import { expect } from 'vitest'
import { ident } from '../../src/sql/index.js'
import type { Cli, CliResult } from '../support/cli.js'

export interface Moved {
  /** The tables that were moved, as the command line names them. */
  readonly tables: readonly string[]
  /** Table -> codes of why it is refused. */
  readonly refused: Readonly<Record<string, readonly string[]>>
}

/**
 * Moves all that can be moved by the command line and proves it: `init --yes`, `migrate up`, `plan`, `backfill`,
 * `verify` by both engines. Expects each of them to end well and to have seen every row of every table.
 */
export async function moveAll(admin: pg.Client, cli: Cli, schemas: readonly string[]): Promise<Moved> {
  const init = ended(await cli.json('init', '--yes', ...schemas.flatMap((schema) => ['--schema', schema])))
  ended(await cli.json('migrate', 'up'))
  const supported = namesOf(init.tables)
  const counts = await countRows(admin, supported)

  const plan = ended(await cli.json('plan'))
  expect(namesOf(plan.tables)).toEqual(namesOf(init.tables))

  const backfill = ended(await cli.json('backfill'))
  expect(rowsOf(backfill.tables)).toEqual(counts)
  expect(backfill.tables.filter(({ complete }) => complete !== true)).toEqual([])

  for (const engine of ['sql', 'replay']) {
    const verify = ended(await cli.json('verify', '--engine', engine))
    expect(verify.differences).toEqual([])
    expect(rowsOf(verify.tables)).toEqual(counts)
    expect(verify.tables.filter(({ clean }) => clean !== true)).toEqual([])
  }
  return {
    tables: supported,
    refused: Object.fromEntries(
      init.tables
        .filter((table) => table['supported'] !== true)
        .map(({ table, reasons }) => [table, (reasons as { code: string }[]).map(({ code }) => code)]),
    ),
  }
}

/** As `moveAll`, for a test of what comes after, on tables which another one moves and proves. Gives their names. */
export async function backfillAll(cli: Cli, schemas: readonly string[]): Promise<readonly string[]> {
  const init = ended(await cli.json('init', '--yes', ...schemas.flatMap((schema) => ['--schema', schema])))
  ended(await cli.json('migrate', 'up'))
  const { tables } = ended(await cli.json('backfill'))
  expect(tables.filter(({ complete }) => complete !== true)).toEqual([])
  return namesOf(init.tables)
}

/** Those that can be moved, in order. */
function namesOf(tables: CliResult['document']['tables']): readonly string[] {
  return tables.filter(({ supported }) => supported === true).map(({ table }) => table)
}

/** The document of a command that must end with status 0. */
export function ended(result: CliResult): CliResult['document'] {
  const { document, status } = result
  const first = (document.differences ?? []).slice(0, 5)
  expect({ command: document.command, status, error: document.error, first }).toEqual({
    command: document.command,
    status: 0,
    error: undefined,
    first: [],
  })
  return document
}

function rowsOf(tables: CliResult['document']['tables']): Readonly<Record<string, string>> {
  return Object.fromEntries(tables.map(({ table, rows }) => [table, String(rows)]))
}

/** count(*) of each table, asked by names as the command line writes them. */
async function countRows(
  admin: pg.Client,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { rows } = await admin.query<Record<'schema' | 'name', string>>(
    `select n.nspname as schema, c.relname as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and case n.nspname when 'public' then c.relname else n.nspname || '.' || c.relname end = any($1)`,
    [names],
  )
  const counts: Record<string, string> = {}
  for (const { schema, name } of rows) {
    const { rows: counted } = await admin.query<{ n: string }>(
      `select count(*)::text as n from ${ident(schema)}.${ident(name)}`,
    )
    counts[schema === 'public' ? name : `${schema}.${name}`] = String(counted[0]?.n)
  }
  return counts
}
