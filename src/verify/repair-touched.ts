import type { Session } from '../db/index.js'
import { GateError, shellWord } from '../errors/index.js'
import { qualified, sql } from '../sql/index.js'
import type { VerifyRun } from './verify.js'

/**
 * The column that a repair sets to itself: no column of the key where there is another, so that rows which refer to it
 * are not locked out; never an identity that is GENERATED ALWAYS, which no update may name.
 *
 * @throws GateError EW_ROW_UNWRITABLE where there is none.
 */
export async function touchedColumn(session: Session, { source, table }: VerifyRun): Promise<string> {
  const { model } = source
  const [found] = await session.rows<{ name: string }>(sql`
    select attname::text as name
    from pg_attribute
    where attrelid = to_regclass(${qualified(model.schema, model.table)}::text)
      and attnum > 0
      and not attisdropped
      and attidentity <> 'a'
      and attgenerated = ''
    order by attname = any (${model.key}::name[]), attnum
    limit 1`)
  if (found !== undefined) return found.name
  throw new GateError(
    'EW_ROW_UNWRITABLE',
    `${table}: no column of it can be updated, so no repair can hold its rows`,
    {
      next: `Write its events anew: \`eventward backfill ${shellWord(table)} --restart --confirm ${shellWord(table)}\`.`,
      details: { table },
    },
  )
}
