import type { BoundColumn } from '../definition/index.js'
import { textSql } from './compile-encode.js'
import type { Query } from './query.js'

/** A text that is meant for a column, as someone wrote it. */
export interface ColumnText {
  readonly column: BoundColumn
  readonly text: string
}

/**
 * SQL of the canonical texts of these values: `canonical`, a JSON array, in their order. Each is decoded to its
 * column's type, without modifiers. Raises class 22 where one is no value of that type.
 */
export function compileCanonicalTexts(values: readonly ColumnText[]): Query {
  const texts = values.map(({ column }, index) =>
    textSql(column, `($${index + 1}::pg_catalog.text)::${column.castType}`),
  )
  return {
    text: `select pg_catalog.to_json(array[${texts.join(', ')}]::pg_catalog.text[]) as canonical`,
    values: values.map(({ text }) => text),
  }
}
