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
    const grants = await grantsOn(connection, { schema, name })
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

/**
 * Gives a new generation's table the rights of the one before, and its owner: by that owner's rights the view reads, and
 * by those rights the commands of an inline projection write.
 */
export async function copyRights(
  trx: Knex.Transaction,
  { from, to }: { readonly from: Generation; readonly to: Generation },
): Promise<void> {
  const connection = await connectionOf(trx)
  const target = { schema: to.schema, name: to.table }
  const grants = await grantsOn(connection, { schema: from.schema, name: from.table }, target)
  const [answer] = await connection.run([
    sql`
    select pg_catalog.pg_get_userbyid(c.relowner) as owner
    from pg_catalog.pg_class c
    where c.oid = pg_catalog.to_regclass(${qualified(from.schema, from.table)}::text)
      and pg_catalog.pg_get_userbyid(c.relowner) <> current_user`,
  ])
  const owner = answer?.rows[0]?.['owner'] ?? null
  const table = raw(qualified(to.schema, to.table))
  const given = owner === null ? [] : [sql`alter table ${table} owner to ${raw(ident(owner))}`]
  if (grants.length + given.length > 0) await connection.run([...grants, ...given])
}

interface Named {
  readonly schema: string
  readonly name: string
}

/** Statements that grant on `to` what is granted on `of`. */
async function grantsOn(connection: CallerConnection, of: Named, to: Named = of): Promise<readonly Query[]> {
  const [answer] = await connection.run([
    sql`
    select a.privilege_type as right, case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee) end as role
    from pg_catalog.pg_class c
    cross join lateral pg_catalog.aclexplode(c.relacl) a
    where c.oid = pg_catalog.to_regclass(${qualified(of.schema, of.name)}::text)
      and a.grantee <> c.relowner`,
  ])
  return (answer?.rows ?? []).map(({ right, role }) => {
    const grantee = role === null || role === undefined ? 'public' : ident(role)
    // The server's own keyword.
    return sql`grant ${raw(right ?? '')} on ${raw(qualified(to.schema, to.name))} to ${raw(grantee)}`
  })
}
