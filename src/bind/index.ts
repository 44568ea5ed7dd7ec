/**
 * A definition meets the live catalog and becomes a BoundModel: names checked, constants put into canonical text by
 * the server, lookups pinned, conditions lowered. Must never know how events are stored, nor read a moved table's rows.
 */
export { type BindOptions, type BoundAggregate, bindAggregate, bindAggregates } from './bind-aggregate.js'
export { type Answers, bindDescribed, type LookedUp } from './bind-described.js'
export { boundColumns } from './bound-columns.js'
export { canonicalTexts, type TextRequest } from './canonical-texts.js'
export { definitionHash } from './definition-hash.js'
export { describeTable } from './describe-table.js'
export { shapeColumns, shapeId } from './shape-id.js'
