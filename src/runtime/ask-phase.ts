import { sqlstateOf } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { captureNames, literal, type Query, qualified, raw, sql } from '../sql/index.js'
import type { Answer, CallerConnection } from './caller-connection.js'
import { type Named, notCaptured } from './command-errors.js'
import { kept } from './kept-statement.js'

/** What is known of a table once its lock is held: none of it moves until the transaction ends. */
export interface Locked {
  readonly phase: string
  readonly database: string
  /** A text that differs where DDL has changed what a row of the table is, or what a new one gets by default. */
  readonly shape: string
}

/** The locked table, and what else was asked in the same round trip. */
export interface Asked extends Locked {
  readonly answers: readonly Answer[]
}

/** What goes with the question: before the lock, and behind it. */
export interface Beside {
  readonly before?: readonly Query[]
  /** Asks for `phaseColumns` as well, of a row that may not be there: the first of the answers. */
  readonly instead?: Query | null
  readonly after?: readonly Query[]
}

/** What is asked under the lock. */
export function phaseColumns(definition: AggregateDefinition): Query {
  const phase = raw(qualified('eventward', captureNames(definition.name).phase))
  return sql`${phase}() as phase, pg_catalog.current_database() as database, ${rowVersionSql(definition)} as shape`
}

/**
 * Takes ROW EXCLUSIVE on the table, then asks for its phase: in this order, so that a flip is waited out and no write is
 * made under a phase that has passed.
 *
 * @throws GateError EW_NOT_CAPTURED where the phase is `legacy`, or there is nobody to ask.
 */
export async function askPhase(
  connection: CallerConnection,
  definition: AggregateDefinition,
  named: Named,
  { before = [], instead = null, after = [] }: Beside = {},
): Promise<Asked> {
  const { schema, name } = definition.table
  const table = qualified(schema, name)
  const answers = await connection
    .run([
      ...before,
      sql`lock table only ${raw(table)} in row exclusive mode`,
      instead ?? kept(definition, 'phase', [], () => sql`select ${phaseColumns(definition)}`),
      ...after,
    ])
    .catch((error: unknown) => {
      // No such function, or no such schema: capture was never on, or eventward is not installed.
      const state = sqlstateOf(error)
      throw state === '42883' || state === '3F000' ? notCaptured(named, error) : error
    })
  const [asked] = answers[before.length + 1]?.rows ?? []
  const behind = answers.slice(before.length + (instead === null ? 2 : 1))
  // There is no such row, so nobody has told the phase.
  if (asked === undefined && instead !== null) {
    return { ...(await askPhase(connection, definition, named)), answers: behind }
  }
  const { phase: found, database, shape } = asked ?? {}
  if (found === 'legacy' || found == null) throw notCaptured(named)
  return {
    phase: found,
    database: database ?? '',
    shape: shape ?? '',
    answers: behind,
  }
}

/** A text that is another one where DDL has changed what a row of the table is, or what a new one gets by default. */
export function rowShapeQuery(definition: AggregateDefinition): Query {
  return sql`select ${rowVersionSql(definition)} as shape`
}

/**
 * Each command asks, so it's cheap: every ALTER of a column or its default writes the catalog's row anew, and its xmin
 * tells.
 */
function rowVersionSql({ table }: AggregateDefinition): Query {
  const relation = raw(`${literal(qualified(table.schema, table.name))}::pg_catalog.regclass`)
  return sql`(${relation}::pg_catalog.oid::pg_catalog.text
      operator(pg_catalog.||) array(
        select a.xmin
        from pg_catalog.pg_attribute a
        where a.attrelid operator(pg_catalog.=) ${relation}
          and a.attnum operator(pg_catalog.>) 0
        order by a.attnum
      )::pg_catalog.text
      operator(pg_catalog.||) array(
        select d.xmin
        from pg_catalog.pg_attrdef d
        where d.adrelid operator(pg_catalog.=) ${relation}
        order by d.adnum
      )::pg_catalog.text)`
}
