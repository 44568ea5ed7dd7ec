import type { Knex } from 'knex'
import type { KnexBuilder } from './knex-internals.js'
import { unseen } from './shim-errors.js'
import { copyOf } from './shim-rows.js'
import type { ShimWrite } from './shim-write.js'

/**
 * A builder that finds the rows with which an insert conflicts, by the columns of its target.
 *
 * @throws UsageError EW_SHIM_UNSEEN where the target or the values are no plain columns and values, or the merge may give
 * the row another key.
 */
export function conflictingRows({ builder, definition, bound }: ShimWrite): KnexBuilder & Knex.QueryBuilder {
  const { onConflict, merge, insert } = builder._single ?? {}
  const { key } = bound.binding.model
  if (!Array.isArray(onConflict) || !onConflict.every((column) => typeof column === 'string')) {
    throw unseen(definition, 'the target of its conflict is no list of columns')
  }
  const target = onConflict as readonly string[]
  const rows = (Array.isArray(insert) ? insert : [insert]) as readonly Readonly<Record<string, unknown>>[]
  const set = setBy(merge?.updates, rows)
  const isKey = key.length === target.length && key.every((column) => target.includes(column))
  if (!isKey && set.some((column) => key.includes(column))) {
    throw unseen(definition, 'its merge gives a row another key')
  }
  const values = rows.map((row) => target.map((column) => plainValue(row?.[column])))
  if (values.some((row) => row.includes(undefined))) {
    throw unseen(definition, 'the values of its conflict are not given as such')
  }
  const found = copyOf(builder)
  found._statements = []
  found.whereIn([...target], values as never)
  return found
}

function setBy(updates: unknown, rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  if (Array.isArray(updates)) return updates as readonly string[]
  if (typeof updates === 'object' && updates !== null) return Object.keys(updates)
  return rows.flatMap((row) => Object.keys(row ?? {}))
}

/** Undefined for what knex would write as SQL of its own. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'function') return undefined
  const parts = value as { readonly isRawInstance?: boolean; readonly toSQL?: unknown } | null | undefined
  return parts?.isRawInstance === true || parts?.toSQL !== undefined ? undefined : value
}
