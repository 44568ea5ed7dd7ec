import type { BoundModel } from '../definition/index.js'
import { columnOf, isPresent, objectSql, textSql } from './compile-encode.js'
import { compileRecognise } from './compile-recognise.js'
import { isUnexplained, residueColumns } from './compile-residue.js'
import { qualified } from './ident.js'
import type { Query } from './query.js'
import { scopeOf } from './recognition-scope.js'
import { raw, sql } from './sql-tag.js'

export interface ExplainInput {
  readonly model: BoundModel
  /** Percent of the table's pages to look at (TABLESAMPLE SYSTEM, text of a number); null: every row. */
  readonly samplePercent: string | null
  /** Patterns at the most. */
  readonly limit: number
}

/**
 * How well a definition explains a table: rows `{ pattern, rows }`, most frequent first. `pattern` is null for rows
 * that need no `Changed`; else the text of a JSON object of the columns left unexplained: `{"is": text}` where some
 * event sets the column to a constant (so that its value tells something), `{}` otherwise.
 */
export function compileExplain({ model, samplePercent, limit }: ExplainInput): Query {
  const rec = compileRecognise(model, {
    from: 'rows_of_table a',
    sides: { before: null, after: columnOf('a') },
    now: 'now()',
    backfill: true,
  })
  return sql`
  with rows_of_table as not materialized (
    select a.*
    from ${raw(qualified(model.schema, model.table))} a
    ${samplePercent === null ? raw('') : sql`tablesample system (${samplePercent}::float4)`}
  )
  select p.pattern::text as pattern, count(*) as rows
  from (
    select case when s.x then ${raw(patternSql(model))} end as pattern
    from (${raw(rec.source)}) s
  ) p
  group by p.pattern
  order by (p.pattern is null) desc, count(*) desc, p.pattern::text
  limit ${String(limit + 1)}::bigint`
}

function patternSql(model: BoundModel): string {
  const scope = scopeOf(model, true, 's')
  const constants = new Set(model.events.flatMap((event) => event.constants.map(({ column }) => column)))
  const parts = residueColumns(scope).map((column) => {
    const value = scope.sides.after(column)
    const text = `case when ${isPresent(column, value)} then pg_catalog.to_jsonb(${textSql(column, value)}) end`
    const shown = constants.has(column.name) ? objectSql([['is', text]]) : `'{}'::pg_catalog.jsonb`
    return `case when ${isUnexplained(scope, column)} then ${objectSql([[column.name, shown]])} else '{}'::pg_catalog.jsonb end`
  })
  return parts.length === 0 ? `'{}'::pg_catalog.jsonb` : `(${parts.join(' || ')})`
}
