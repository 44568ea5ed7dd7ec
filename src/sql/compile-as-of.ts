import type { BoundColumn, BoundModel } from '../definition/index.js'
import { OUTPUT_SETTINGS } from './capture/output-settings.js'
import { decodeSql, keyColumns } from './compile-encode.js'
import { compileFoldStreams, type EventsName, STREAM_SQL } from './compile-fold.js'
import { ident, qualified } from './ident.js'
import { literal } from './literal.js'
import { raw, sql } from './sql-tag.js'

/** A column of a table as of a time. */
export interface AsOfColumn {
  readonly name: string
  /** A type of pg_catalog: `pg_catalog.int8`. */
  readonly type: string
  /** True where the table's own type is another one: then its text stands here. */
  readonly asText: boolean
}

export interface AsOfInput {
  readonly model: BoundModel
  readonly events: EventsName
  /** The function's name, in the schema eventward. */
  readonly name: string
  /** What `eventward.meaning_of` says of the aggregate: where it says something else, the function refuses. */
  readonly meaning: string
}

/**
 * The columns of a table as of a time. Types are those of pg_catalog alone: a function that returned one of the
 * application's would keep it from dropping or replacing that type, and a restore would need it first. Enums, composites
 * and extensions' types are text, as is a column whose type has changed (older events may hold what the present type can't
 * read) and one that names an object of the catalog.
 */
export function asOfColumns(model: BoundModel): readonly AsOfColumn[] {
  return model.columns.map((column) => {
    const own = isBuiltIn(column) && !hasChanged(model, column)
    return { name: column.name, type: own ? column.castType : '"pg_catalog"."text"', asText: !own }
  })
}

/**
 * SQL that makes the function which gives a table as of a time, one row per stream that was alive then: the longest prefix
 * of its versions that had all happened by then, folded. The twin of `rowAt`, over all streams at once.
 *
 * Its body is a text, which depends on nothing: no DDL of the application is refused because of it. It runs with the
 * rights of whoever calls it, under the settings by which stored texts are read; those SET clauses keep it from being
 * inlined, and so does nothing of the caller's.
 */
export function compileAsOf({ model, events, name, meaning }: AsOfInput): string {
  const columns = asOfColumns(model)
  const at = argumentName(model)
  const values = model.columns.map(
    (column, slot) => `${valueSql(model, column, columns[slot])} as ${ident(column.name)}`,
  )
  const fold = compileFoldStreams(model, events, sql`e.within`, {
    from: prefixSql(model, events, qualified(name, at)),
  })
  const body = sql`
  select ${raw(values.join(',\n    '))}
  from (${fold}
  ) as f
  where eventward.require_meaning(${raw(literal(model.name))}, ${raw(literal(meaning))})
    and ${raw(STREAM_SQL.isAlive)}
`
  const returned = columns.map((column) => `${ident(column.name)} ${column.type}`)
  return `
create or replace function ${qualified('eventward', name)}(${ident(at)} pg_catalog.timestamptz)
returns table (
  ${returned.join(',\n  ')}
)
language sql stable parallel restricted
${OUTPUT_SETTINGS}
set array_nulls = on
set jit = off
as ${literal(body.text)}`
}

/** SQL of the events, each with whether it and all before it in its stream had happened by then. */
function prefixSql(model: BoundModel, events: EventsName, at: string): string {
  return `(
        select x.aggregate_type, x.aggregate_id, x.version, x.type, x.schema_version, x.data, x.metadata, x.occurred_at,
          pg_catalog.bool_and(x.occurred_at <= ${at}) over (
            partition by x.aggregate_id order by x.version rows unbounded preceding
          ) as within
        from ${qualified(events.schema, events.table)} as x
        where x.aggregate_type = ${literal(model.name)}
      )`
}

/** Key columns that no event carries are the stream's id. */
function valueSql(model: BoundModel, column: BoundColumn, as: AsOfColumn | undefined): string {
  const member = `(f.folded -> ${literal(column.name)})`
  const value = as?.asText === false ? decodeSql(column, member) : textOf(column, member)
  const part = keyColumns(model).findIndex(({ name }) => name === column.name)
  if (part === -1) return value
  const id = model.key.length === 1 ? 'f.aggregate_id' : `(f.aggregate_id::pg_catalog.jsonb ->> ${part})`
  const typed = as?.asText === false ? `${id}::${column.castType}` : id
  return `case when f.folded ? ${literal(column.name)} then ${value} else ${typed} end`
}

/** The canonical text: what JSON holds otherwise is written as the type's output function does. */
function textOf({ encoding }: BoundColumn, member: string): string {
  const text = `(${member} #>> '{}')`
  if (encoding === 'boolean')
    return `case when pg_catalog.jsonb_typeof(${member}) = 'boolean' then pg_catalog.left(${text}, 1) else ${text} end`
  return text
}

/** An argument's name must be none of the columns'. */
function argumentName({ columns }: BoundModel): string {
  let name = 'at'
  while (columns.some((column) => column.name === name)) name += '_'
  return name
}

function isBuiltIn({ castType }: BoundColumn): boolean {
  // A cast by way of another type is that of a type whose texts are read otherwise than by its input function.
  const name = /^"?pg_catalog"?\."?([^".:]+)"?$/.exec(castType)?.[1]
  return name !== undefined && !/^_?reg[a-z]+$/.test(name)
}

/** Whether events were written while the column had a type that the present one doesn't hold as it is. */
function hasChanged({ history }: BoundModel, { attnum, declaredType }: BoundColumn): boolean {
  const types = (history?.shapes ?? []).flatMap(({ columns }) =>
    columns.flatMap((then) => (then.attnum === attnum ? [then.type] : [])),
  )
  const now = plainType(declaredType)
  return types.some((type) => {
    const then = plainType(type)
    return then !== now && !(WIDER[now]?.includes(then) ?? false)
  })
}

/** Without modifiers: these change no value that was stored. */
function plainType(declared: string): string {
  return declared.replaceAll(/\([\d,\s-]*\)/g, '')
}

/** What a type reads of another's texts as they are. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  integer: ['smallint'],
  bigint: ['smallint', 'integer'],
  numeric: ['smallint', 'integer', 'bigint', 'real', 'double precision'],
  text: ['character varying', 'uuid', 'integer', 'bigint', 'smallint', 'numeric'],
  'character varying': ['text'],
}
