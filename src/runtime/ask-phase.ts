import { sqlstateOf } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { captureNames, literal, type Query, qualified, raw, sql } from '../sql/index.js'
import type { CallerConnection } from './caller-connection.js'
import { type Named, notCaptured } from './command-errors.js'

/** What is known of a table once its lock is held: none of it moves until the transaction ends. */
export interface Locked {
  readonly phase: string
  readonly database: string
  /** A text that differs where DDL has changed what a row of the table is, or what a new one gets by default. */
  readonly shape: string
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
): Promise<Locked> {
  const { schema, name } = definition.table
  const phase = qualified('eventward', captureNames(definition.name).phase)
  const answers = await connection
    .run([
      sql`lock table only ${raw(qualified(schema, name))} in row exclusive mode`,
      sql`select ${raw(phase)}() as phase, pg_catalog.current_database() as database`,
      rowShapeQuery(definition),
    ])
    .catch((error: unknown) => {
      // No such function, or no such schema: capture was never on, or eventward is not installed.
      const state = sqlstateOf(error)
      throw state === '42883' || state === '3F000' ? notCaptured(named, error) : error
    })
  const { phase: found, database } = answers[1]?.rows[0] ?? {}
  if (found === 'legacy' || found == null) throw notCaptured(named)
  return { phase: found, database: database ?? '', shape: answers[2]?.rows[0]?.['shape'] ?? '' }
}

/** Under any settings: the columns with their types and the versions of their defaults, and the table's OID. */
export function rowShapeQuery({ table }: AggregateDefinition): Query {
  return sql`
    select pg_catalog.concat_ws(' ', c.oid, pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid,
      a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated, a.attidentity, a.attisdropped, d.xmin), ',' order by a.attnum)) as shape
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid
    left join pg_catalog.pg_attrdef d on d.adrelid operator(pg_catalog.=) c.oid and d.adnum operator(pg_catalog.=) a.attnum
    where c.oid operator(pg_catalog.=) ${raw(literal(qualified(table.schema, table.name)))}::pg_catalog.regclass
      and a.attnum operator(pg_catalog.>) 0
    group by c.oid`
}
