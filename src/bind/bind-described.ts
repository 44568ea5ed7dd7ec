import type { AggregateDefinition, Assignment, Text } from '../definition/index.js'
import { assembleModel } from './assemble-model.js'
import type { BoundAggregate } from './bind-aggregate.js'
import type { TextRequest } from './canonical-texts.js'
import { describedTable } from './described-table.js'
import { freezeDeep } from './freeze-deep.js'
import { constantRequests, lookupsOf, valuesOf } from './resolve-values.js'

/** A lookup that a definition names. */
export type LookedUp = Extract<Assignment, { readonly kind: 'lookup' }>

/** Stands for the server. */
export interface Answers {
  /** Canonical texts of values, in the order asked. @throws UsageError EW_CONSTANT */
  readonly texts: (requests: readonly TextRequest[]) => readonly Text[]
  /** The key of the row that a lookup finds. */
  readonly lookup: (lookup: LookedUp) => string | number | bigint
}

/**
 * Binds a definition to its table as it is described, without a database: for tests. What the live table has that the
 * description doesn't is not in the model, and no name is checked against a catalog.
 *
 * @throws UsageError EW_CONSTANT where a constant is no value of its column.
 */
export function bindDescribed(definition: AggregateDefinition, answers: Answers): BoundAggregate {
  const table = describedTable(definition.table)
  const requests = constantRequests(definition, table)
  const lookups = lookupsOf(definition, table)
  const found = answers.texts(
    lookups.map(({ assignment, column, where }) => ({ column, where, value: answers.lookup(assignment) })),
  )
  const pinned = new Map(lookups.map(({ assignment }, index) => [assignment, found[index] ?? null]))
  const values = valuesOf(requests, answers.texts(requests), pinned)
  return freezeDeep({ model: assembleModel(definition, table, { values, frozen: [] }), table })
}
