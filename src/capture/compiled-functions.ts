import { createHash } from 'node:crypto'
import { shapeId } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { captureNames, compileCapture, ident, literal, sql, typedKey } from '../sql/index.js'
import { type Partition, toolVersion } from '../store/index.js'
import type { CapturedTable } from './bind-captured.js'

/** The functions of a captured table's triggers, ready to be made. */
export interface CompiledFunctions {
  readonly statements: readonly string[]
  /** Told from the next by this: a hash of all statements, kept as the comment of one of the functions. */
  readonly mark: string
}

/** Compiles the functions for the table as it was bound, writing into a partition of the events. Reads `relnatts`. */
export async function compiledFunctions(
  session: Session,
  { bound: { model, table } }: CapturedTable,
  partition: Partition,
): Promise<CompiledFunctions> {
  const { natts } = await session.one<{ natts: string }>(sql`
    select coalesce(max(relnatts), 0) as natts
    from pg_class
    where oid = ${table.oid}::oid`)
  const names = captureNames(model.name)
  const statements = compileCapture({
    model,
    names,
    partition: { schema: partition.schema, table: partition.table },
    key: typedKey(model, table.key?.columns ?? []),
    relid: table.oid,
    partitioned: table.kind === 'partitioned',
    natts: Number(natts),
    definition: model.hash.slice(0, 12),
    shape: shapeId(model),
    writer: `eventward/${toolVersion()}`,
  })
  const mark = `eventward capture ${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 32)}`
  const comment = `comment on function eventward.${ident(names.before)}() is ${literal(mark)}`
  return { statements: [...statements, comment], mark }
}

/** Makes or replaces the functions, within the caller's transaction. */
export async function makeFunctions(session: Session, { statements }: CompiledFunctions): Promise<void> {
  for (const text of statements) await session.execute({ text, values: [] })
}

/** The mark of the functions that are there, or null. */
export async function installedMark(session: Session, aggregateType: string): Promise<string | null> {
  const { mark } = await session.one<{ mark: string | null }>(sql`
    select obj_description(to_regprocedure(${`eventward.${ident(captureNames(aggregateType).before)}()`}::text), 'pg_proc') as mark`)
  return mark
}
