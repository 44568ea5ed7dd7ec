/**
 * Verify: fold(all events) = row, by two engines, and what differs until it is gone. It must never know how events were
 * recognised or encoded: it decodes what it folded and compares the column's own text. Writes bookkeeping only, but for
 * the repair, which recognises and appends as every other writer does.
 */

export { codeBecause } from './choose-engine.js'
export type { Repair, RepairEvent, RepairOutcome } from './repair-result.js'
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
