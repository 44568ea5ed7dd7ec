import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { type CallerConnection, connectionOf } from '../runtime/index.js'
import { ident, type Query, qualified, raw, sql } from '../sql/index.js'
import type { Projection } from './define-projection.js'
import type { Generation } from './generations.js'

/** Makes the table of a generation, as the projection says. */
export async function makeTable(
  trx: Knex.Transaction,
  { name, create }: Projection,
  { schema, table }: Generation,
): Promise<void> {
  try {
    await create(trx.schema.withSchema(schema), table)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError('EW_PROJECTION_FAILED', `projection ${name}: its table was not made: ${reason}`, {
      next: 'Correct `create` of the projection.',
      details: { projection: name, table },
      cause,
    })
  }
}

export async function dropTable(trx: Knex.Transaction, { schema, table }: Generation): Promise<void> {
  const connection = await connectionOf(trx)
  await connection.run([sql`drop table if exists ${raw(qualified(schema, table))}`])
}

/**
 * Makes the view of the projection's name show a generation. Takes ACCESS EXCLUSIVE on the view: it waits for whoever reads
 * from it at this moment, as long as lock_timeout says, and whoever comes then waits behind it. Where the columns are
 * others, the view is made anew, with the rights that were granted on it.
 *
 * @throws UsageError EW_PROJECTION_NAME where the name is that of something else.
 */
export async function showGeneration(
  trx: Knex.Transaction,
  { schema, name }: Projection,
  { table }: Generation,
): Promise<void> {
  const connection = await connectionOf(trx)
  const view = raw(qualified(schema, name))
  const as = sql`as select * from ${raw(qualified(schema, table))}`
  try {
    await tried(connection, [sql`create or replace view ${view} ${as}`])
  } catch (error) {
    const state = sqlstateOf(error)
    if (state === '42809') {
      throw new UsageError('EW_PROJECTION_NAME', `${schema}.${name} is there already, and it's no view`, {
        next: 'Name the projection otherwise.',
        details: { schema, name },
        cause: error,
      })
    }
    if (state !== '42P16') throw error
    const grants = await grantsOn(connection, schema, name)
    await connection.run([sql`drop view ${view}`, sql`create view ${view} ${as}`, ...grants])
  }
}

const savepoint = {
  begin: sql`savepoint eventward_view`,
  undo: sql`rollback to savepoint eventward_view`,
  end: sql`release savepoint eventward_view`,
}

/** In a savepoint, so that the transaction survives a failure. Locks that were waited for in vain are none. */
async function tried(connection: CallerConnection, statements: readonly Query[]): Promise<void> {
  await connection.run([savepoint.begin])
  try {
    await connection.run([...statements, savepoint.end])
  } catch (error) {
    await connection.run([savepoint.undo, savepoint.end])
    throw error
  }
}

async function grantsOn(
  connection: CallerConnection,
  schema: string,
  name: string,
): Promise<readonly Query[]> {
  const [answer] = await connection.run([
    sql`
    select a.privilege_type as right, case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee) end as role
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
      pg_catalog.aclexplode(c.relacl) a
    where n.nspname = ${schema}::text
      and c.relname = ${name}::text
      and a.grantee <> c.relowner`,
  ])
  return (answer?.rows ?? []).map(({ right, role }) => {
    const to = role === null || role === undefined ? 'public' : ident(role)
    // The server's own keyword.
    return sql`grant ${raw(right ?? '')} on ${raw(qualified(schema, name))} to ${raw(to)}`
  })
}
