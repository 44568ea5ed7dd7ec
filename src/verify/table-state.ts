import { readRowShape } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import { GateError, shellWord } from '../errors/index.js'
import { qualified, sql } from '../sql/index.js'

/**
 * A text that differs where a table is not what it was: another table under its name, other columns, another key
 * order, other partitions, or files written anew (a rewrite changes values that no trigger sees; VACUUM FULL and
 * TRUNCATE look like one), or where a schema change was adopted, so that events are read otherwise. Ask it under a lock on the table, or it's old at once.
 */
export async function readTableState(
  session: Session,
  { schema, table, key }: Pick<BoundModel, 'schema' | 'table' | 'key'>,
): Promise<string> {
  const shape = await readRowShape(session, schema, table, key)
  const { files, adopted } = await session.one<Record<'files' | 'adopted', string | null>>(sql`
    select string_agg(format('%s:%s', m.oid, pg_relation_filenode(m.oid)), ',' order by m.oid) as files,
      (
        select max(e.id)
        from eventward.epochs e
        join eventward.aggregates a using (aggregate_type)
        where a.table_schema = ${schema}::text
          and a.table_name = ${table}::text
      ) as adopted
    from (
      select to_regclass(${qualified(schema, table)}::text)::oid as oid
      union
      select relid::oid
      from pg_partition_tree(to_regclass(${qualified(schema, table)}::text))
    ) m`)
  return JSON.stringify([shape, files, adopted])
}

/** What is said where half of an answer would be about another table, or about other events. */
export function verifyMoved(table: string, what: string): GateError {
  return new GateError('EW_VERIFY_MOVED', `${table}: ${what} while it was verified; nothing was proven`, {
    next: `Run \`eventward verify ${shellWord(table)}\` again: it starts anew.`,
    details: { table },
  })
}
