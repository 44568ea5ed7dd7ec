/**
 * Writes the first configuration: reads the catalog and the statuses present, infers definitions, renders them as code.
 * Must never write to the database, nor know what a definition is compiled to.
 */
export { type CheckedTables, checkTables, type TableChange } from './check-tables.js'
export { generateTables } from './generate-tables.js'
export { inferAggregate } from './infer-aggregate.js'
export { type InferredTable, type InferredTables, inferDefinitions } from './infer-definitions.js'
export type { InferredAggregate, InferredAssignment, InferredEvent, ObservedStatuses } from './inferred.js'
export { type Initialised, type InitialiseOptions, initialise } from './initialise.js'
export { readStatuses } from './read-statuses.js'
export { renderConfig } from './render-config.js'
export { renderTables } from './render-tables.js'
export { type WriteOptions, type WrittenFile, writeConfig, writeGenerated } from './write-config.js'
