/**
 * Verify: fold(all events) = row, by two engines, and what differs until it is gone. Writes bookkeeping only; must never
 * know how events were recognised or encoded: it decodes what it folded and compares the column's own text.
 */
export type { Checked, Found } from './stream-check.js'
export { openStreamSet, type StreamSet, type Touched } from './stream-set.js'
export { type VerifyOptions, verify } from './verify.js'
export type {
  Difference,
  DifferenceKind,
  DifferingColumn,
  SetBy,
  VerifiedTable,
  VerifyEngine,
  VerifyProgress,
  VerifyResult,
} from './verify-result.js'
