import { type BoundColumn, type EventShape, RESIDUE_MEMBER } from '../definition/index.js'
import { standsInResidue } from '../recognise/index.js'
import { join } from './compile-condition.js'
import { memberSql, objectSql } from './compile-encode.js'
import { literal } from './literal.js'
import type { Scope } from './recognition-scope.js'

/** A column that an event carries only where this SQL condition holds. */
export interface Extra {
  readonly column: BoundColumn
  readonly when: string
}

const EMPTY = `'{}'::pg_catalog.jsonb`

/** SQL of an event's `data`: the twin of `dataOf`. Declared attributes always; extras where their condition holds. */
export function dataSql(scope: Scope, shape: EventShape, extras: readonly Extra[]): string {
  const always = extras.filter(({ when }) => when === 'true').map(({ column }) => column)
  const declared = shape.data.map(
    ({ attribute, column }) => [attribute, encoded(scope, scope.columnNamed(column))] as const,
  )
  const further = shape.bound.slice(1).map(scope.columnNamed)
  const plain = [...further, ...always].filter((column) => !standsInResidue(shape, column))
  const hidden = [...further, ...always].filter((column) => standsInResidue(shape, column))
  const sometimes = extras.filter(({ when }) => when !== 'true' && when !== 'false')
  const parts = [
    objectSql([...declared, ...plain.map((column) => [column.name, encoded(scope, column)] as const)]),
    ...sometimes
      .filter(({ column }) => !standsInResidue(shape, column))
      .map((extra) => optional(scope, extra)),
    ...residueParts(
      scope,
      hidden,
      sometimes.filter(({ column }) => standsInResidue(shape, column)),
    ),
  ]
  const [first = EMPTY, ...rest] = parts
  const filled = first === EMPTY && rest.length > 0 ? rest : [first, ...rest]
  return filled.join(' || ')
}

function optional(scope: Scope, { column, when }: Extra): string {
  return `case when ${when} then ${objectSql([[column.name, encoded(scope, column)]])} else ${EMPTY} end`
}

function residueParts(
  scope: Scope,
  always: readonly BoundColumn[],
  sometimes: readonly Extra[],
): readonly string[] {
  if (always.length === 0 && sometimes.length === 0) return []
  const members = [
    objectSql(always.map((column) => [column.name, encoded(scope, column)] as const)),
    ...sometimes.map((extra) => optional(scope, extra)),
  ].join(' || ')
  const residue = `pg_catalog.jsonb_build_object(${literal(RESIDUE_MEMBER)}, ${members})`
  if (always.length > 0) return [residue]
  const any = join(
    sometimes.map(({ when }) => when),
    'or',
    'false',
  )
  return [`case when ${any} then ${residue} else ${EMPTY} end`]
}

function encoded(scope: Scope, column: BoundColumn): string {
  return scope.sides.member?.(column) ?? memberSql(column, scope.sides.after(column))
}
