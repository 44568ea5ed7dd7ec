import type { BoundColumn, BoundModel, Text } from '../definition/index.js'
import { ident, qualified } from './ident.js'
import { literal } from './literal.js'
import { textAnywhere } from './text-anywhere.js'

/**
 * SQL of the canonical text of a value: what its type's output function writes. `format('%s', x)` calls that function;
 * `x::text` does not where the type has a cast to text (char(n), boolean, inet). NULL stays NULL.
 * Needs the pinned settings of the session, or a column with `textBy`.
 *
 * Of collation C, whatever the column's: a text keeps its column's collation, and one that is not deterministic calls
 * 'A' and 'a' equal, which an application can tell apart.
 */
export function textSql(column: BoundColumn, expression: string): string {
  if (typeof column.textBy === 'string') return `(${textAnywhere(column.castType, expression)} collate "C")`
  if (column.plainText || CAST_IS_OUTPUT.has(column.castType))
    return `(${expression}::pg_catalog.text collate "C")`
  return `(case when ${isPresent(column, expression)} then pg_catalog.format('%s', ${expression}) end collate "C")`
}

/**
 * Types without a cast to text of their own: the server then calls the output function, as `format` does, but looks it
 * up once a query. No one but a superuser can add such a cast: it takes the owner of one of the two types. A domain over
 * them is cast as its base type, whatever casts it has.
 */
const CAST_IS_OUTPUT: ReadonlySet<string> = new Set(
  [
    ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'oid'],
    ['uuid', 'bytea', 'json', 'jsonb'],
    ['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'],
  ]
    .flat()
    .map((type) => qualified('pg_catalog', type)),
)

/**
 * SQL of what `jsonb_build_object` takes to write a value canonically: the twin of `encodeText`. SQL NULL is written as
 * JSON null. Numbers, booleans and texts are given as they are: a `to_jsonb` around them would make them twice.
 */
export function memberSql(column: BoundColumn, expression: string): string {
  switch (column.encoding) {
    case 'number':
    case 'boolean':
      return `${expression}::${column.castType}`
    case 'jsonb':
      return `case when pg_catalog.jsonb_typeof(${expression}) in ('object', 'array') then ${expression}::pg_catalog.jsonb else pg_catalog.to_jsonb(${expression}::pg_catalog.text) end`
    case 'text':
      return textSql(column, expression)
  }
}

/**
 * SQL of a column's value, of its `castType`, from the jsonb that holds it: the inverse of `memberSql`. JSON null and
 * an absent member (SQL NULL) give NULL. No modifiers: a varchar(3) is not cut, so that a wrong value shows.
 */
export function decodeSql(column: BoundColumn, jsonb: string): string {
  const text = `(${jsonb} #>> '{}')`
  if (column.encoding !== 'jsonb') return column.plainText ? text : `${text}::${column.castType}`
  return `case pg_catalog.jsonb_typeof(${jsonb}) when 'string' then ${text}::pg_catalog.jsonb when 'null' then null else ${jsonb} end`
}

/**
 * SQL of whether two values of a column have different canonical texts. Where the type's `=` says the same, it is
 * used: `is distinct from` finds it in pg_catalog, by the pinned search_path.
 */
export function differsSql(column: BoundColumn, a: string, b: string): string {
  if (column.faithful) return `${a} is distinct from ${b}`
  const differ = `${textSql(column, a)} is distinct from ${textSql(column, b)}`
  // In a trigger: the same bytes are the same text, and most columns of an update are.
  // Two bare rows would be compared column by column, by an operator that no column has.
  return column.textBy === undefined ? differ : `(row(${a})::record *<> row(${b})::record and ${differ})`
}

/** SQL of whether a value's canonical text is this one. Never NULL. */
export function hasTextSql(column: BoundColumn, expression: string, text: Text): string {
  if (text === null) return `not ${isPresent(column, expression)}`
  if (column.faithful) return `${expression} is not distinct from ${literal(text)}::${column.castType}`
  return `${textSql(column, expression)} is not distinct from ${literal(text)}::pg_catalog.text`
}

/** SQL of whether a value is not NULL. A composite of NULLs is a value: `is not null` denies it. */
export function isPresent(column: BoundColumn, expression: string): string {
  return column.composite ? `(pg_catalog.num_nulls(${expression}) = 0)` : `(${expression} is not null)`
}

/** SQL of the stream id of a row: see `streamId`. `ref` gives the SQL of a key column. */
export function streamIdSql(model: BoundModel, ref: (column: BoundColumn) => string): string {
  const texts = keyColumns(model).map((column) => textSql(column, ref(column)))
  const [first] = texts
  if (texts.length === 1 && first !== undefined) return first
  // to_json escapes as JSON.stringify does; json_build_array would put a space after the comma.
  const parts = texts.map((text) => `pg_catalog.to_json(${text})::pg_catalog.text`)
  return `'[' || ${parts.join(` || ',' || `)} || ']'`
}

/** The columns of the key, in key order. */
export function keyColumns(model: BoundModel): readonly BoundColumn[] {
  return model.key.flatMap((name) => model.columns.find((column) => column.name === name) ?? [])
}

/** `alias."column"`. */
export function columnOf(alias: string): (column: BoundColumn) => string {
  return (column) => `${alias}.${ident(column.name)}`
}

/** jsonb_build_object takes 100 arguments at the most: longer lists are built in parts. */
const PAIRS = 50

/** SQL of a jsonb object of these members; every name is a literal, every value SQL of jsonb, or as `memberSql` gives it. */
export function objectSql(pairs: readonly (readonly [name: string, value: string])[]): string {
  if (pairs.length === 0) return `'{}'::pg_catalog.jsonb`
  const parts: string[] = []
  for (let at = 0; at < pairs.length; at += PAIRS) {
    const members = pairs.slice(at, at + PAIRS).map(([name, value]) => `${literal(name)}, ${value}`)
    parts.push(`pg_catalog.jsonb_build_object(${members.join(', ')})`)
  }
  return parts.length === 1 ? `${parts[0]}` : `(${parts.join(' || ')})`
}
