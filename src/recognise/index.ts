/**
 * recognise: row before, row after -> events. Pure; must never know a database or a clock: the time is given.
 */
export { holds } from './holds.js'
export { recognise } from './recognise.js'
export type { Instant, RecogniseContext, RecognisedEvent } from './recognised-event.js'
export { columnsOf, isRecognisable, laterColumns, standsInResidue } from './residue-place.js'
export { streamOf } from './stream-of.js'
