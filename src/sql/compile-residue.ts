import type { BoundColumn, BoundEvent } from '../definition/index.js'
import { columnsOf, laterColumns } from '../recognise/index.js'
import { join, sideDiffersSql } from './compile-condition.js'
import { differsSql, hasTextSql } from './compile-encode.js'
import { ofInstantSql } from './compile-instant.js'
import { isLastOf } from './compile-order.js'
import { type Numbered, recognised, type Scope, timeOf } from './recognition-scope.js'

/** SQL that is true where something is left for `Changed`; `updatedAt` is not counted. */
export function anyResidue(scope: Scope): string {
  return join(
    residueColumns(scope).map((column) => isUnexplained(scope, column)),
    'or',
    'false',
  )
}

/**
 * Columns that can be left for `Changed`. On a creation those that a later event sets or carries (all others travel in
 * the creating event); on an update any.
 */
export function residueColumns(scope: Scope): readonly BoundColumn[] {
  const { model, creation } = scope
  const later = laterColumns(model)
  return model.columns.filter(
    ({ name }) => !model.key.includes(name) && name !== model.updatedAt && (!creation || later.has(name)),
  )
}

/** Columns that a creating event carries beyond its own where its fold would not give them. */
export function extraColumns(scope: Scope): readonly BoundColumn[] {
  const { model } = scope
  const later = laterColumns(model)
  return model.columns.filter(
    ({ name }) => !model.key.includes(name) && name !== model.updatedAt && !later.has(name),
  )
}

/** SQL of whether the fold of the recognised events gives a column another text than the row after has. */
export function isUnexplained(scope: Scope, column: BoundColumn): string {
  const setters = scope.later.filter(({ event }) => columnsOf(event).includes(column.name))
  const misses = setters.map((setter) => setterMisses(scope, setter, column))
  const base = baseMisses(scope, column)
  if (setters.length === 0) return base
  if (misses.every((miss) => miss === 'false')) {
    return join(
      [`not (${setters.map((setter) => recognised(scope, setter)).join(' or ')})`, base],
      'and',
      'true',
    )
  }
  const branches = setters.map((setter, index) => {
    const last = join([recognised(scope, setter), isLastOf(scope, setter, setters)], 'and', 'true')
    return `when ${last} then ${misses[index]}`
  })
  return `case ${branches.join(' ')} else ${base} end`
}

/** SQL of whether the row as it stood before the later events misses the column's text. */
function baseMisses(scope: Scope, column: BoundColumn): string {
  if (!scope.creation) return `(${sideDiffersSql(column, scope.sides)})`
  const each = scope.creating.map((creating) => creatingMisses(scope, creating, column))
  const [first = 'false'] = each
  if (each.every((miss) => miss === first)) return first
  return `case ${scope.ref('c')} ${each.map((miss, index) => `when ${index} then ${miss}`).join(' ')} end`
}

/** SQL of whether a creating event alone leaves a column with another text. */
export function creatingMisses(scope: Scope, creating: Numbered, column: BoundColumn): string {
  return columnsOf(creating.event).includes(column.name)
    ? setterMisses(scope, creating, column)
    : `(${sideDiffersSql(column, scope.sides)})`
}

/** SQL of whether an event that sets or carries a column gives it another text than the row after has. */
function setterMisses(scope: Scope, numbered: Numbered, column: BoundColumn): string {
  const { event } = numbered
  if (carries(event, column.name)) return 'false'
  const after = scope.sides.after(column)
  if (event.bound[0] === column.name) {
    const set = ofInstantSql(column, timeOf(scope, numbered), scope.model.timeZone)
    return `(${differsSql(column, set, after)})`
  }
  const constant = event.constants.find((candidate) => candidate.column === column.name)
  return `(not (${hasTextSql(column, after, constant?.value ?? null)}))`
}

/** One bound column gives the time; more of them are carried, as data is. */
function carries(event: BoundEvent, column: string): boolean {
  return event.data.some((carried) => carried.column === column) || event.bound.slice(1).includes(column)
}
