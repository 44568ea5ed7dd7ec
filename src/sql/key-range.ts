import type { BoundModel } from '../definition/index.js'
import { keyColumns, textSql } from './compile-encode.js'
import { ident } from './ident.js'
import type { Query } from './query.js'
import { raw, sql } from './sql-tag.js'

/** A column of the key with the operators of its index: `operator(pg_catalog.<)`. */
export interface KeyColumn {
  readonly name: string
  readonly less: string
  readonly greater: string
  readonly equal: string
  /** A domain whose operators take its base type only. */
  readonly asBase?: boolean
}

/** The key in the order of its index, with the type that each bound is cast to. */
export interface TypedKey {
  readonly columns: readonly (KeyColumn & { readonly castType: string })[]
}

/** Joins the operators of an index with the types of a bound model. */
export function typedKey(model: BoundModel, columns: readonly KeyColumn[]): TypedKey {
  const types = new Map(model.columns.map(({ name, castType }) => [name, castType]))
  return {
    columns: columns.map((column) => ({ ...column, castType: types.get(column.name) ?? 'pg_catalog.text' })),
  }
}

/** SQL of a key column as its operators take it. */
export function keyColumnSql(column: TypedKey['columns'][number], alias: string): string {
  const ref = `${alias}.${ident(column.name)}`
  return column.asBase === true ? `(${ref}::${column.castType.replace(/^pg_catalog\.bpchar::/, '')})` : ref
}

/**
 * SQL of the half-open range `(after, upTo]` of a key in its index's own order; null is no bound. One typed key bounds
 * every pass: an integer range taken as a text range would meet other rows.
 */
export function keyRange(
  key: TypedKey,
  alias: string,
  after: readonly string[] | null,
  upTo: readonly string[] | null,
): Query {
  const bounds = [
    ...(after === null ? [] : [compare(key, alias, after, 'beyond')]),
    ...(upTo === null ? [] : [compare(key, alias, upTo, 'upTo')]),
  ]
  const [first, second] = bounds
  if (first === undefined) return sql`true`
  return second === undefined ? first : sql`${first} and ${second}`
}

/** `order by` of the key, ascending or descending, by the operators of the index. */
export function keyOrder(key: TypedKey, alias: string, direction: 'less' | 'greater' = 'less'): string {
  return key.columns.map((column) => `${keyColumnSql(column, alias)} using ${column[direction]}`).join(', ')
}

/** SQL of a row's key as the text of a JSON array of its texts: how bounds are kept between statements. */
export function keyJson(model: BoundModel, ref: (name: string) => string): string {
  const parts = keyColumns(model).map(
    (column) => `pg_catalog.to_json(${textSql(column, ref(column.name))})::pg_catalog.text`,
  )
  return `'[' || ${parts.join(` || ',' || `)} || ']'`
}

const GREATER = 'operator(pg_catalog.>)'

/** Whether a row's key stands after these texts, or not after them. */
function compare(key: TypedKey, alias: string, texts: readonly string[], side: 'beyond' | 'upTo'): Query {
  const [first] = key.columns
  if (key.columns.length > 1 && key.columns.every(({ greater }) => greater === GREATER)) {
    // The form that an index scan understands; it looks operators up by name, so only for the ordinary ones.
    const names = key.columns.map((column) => keyColumnSql(column, alias)).join(', ')
    const values = key.columns.map(({ castType }, index) => sql`${texts[index] ?? null}::${raw(castType)}`)
    return sql`(${raw(names)}) ${raw(side === 'beyond' ? '>' : '<=')} (${list(values)})`
  }
  const beyond = lexicallyBeyond(key, alias, texts)
  const wanted = side === 'beyond' ? beyond : sql`(not ${beyond})` // an operator's negator makes it an index condition
  if (key.columns.length === 1 || first === undefined) return wanted
  // Only a bound on the leading column is one that an index scan understands.
  const lead = `${keyColumnSql(first, alias)} ${side === 'beyond' ? first.less : first.greater}`
  return sql`(not ${raw(lead)} ${texts[0] ?? null}::${raw(first.castType)} and ${wanted})`
}

function lexicallyBeyond(key: TypedKey, alias: string, texts: readonly string[]): Query {
  return key.columns
    .map((keyColumn, index) => {
      const { greater, equal, castType } = keyColumn
      const column = keyColumnSql(keyColumn, alias)
      const value = sql`${texts[index] ?? null}::${raw(castType)}`
      return {
        after: sql`${raw(`${column} ${greater}`)} ${value}`,
        same: sql`${raw(`${column} ${equal}`)} ${value}`,
      }
    })
    .reduceRight<Query>((rest, { after, same }) => {
      return rest.text === 'false' ? after : sql`(${after} or (${same} and ${rest}))`
    }, sql`false`)
}

function list(queries: readonly Query[]): Query {
  return queries.reduce((left, right) => sql`${left}, ${right}`)
}
