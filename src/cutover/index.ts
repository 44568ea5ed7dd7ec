/**
 * Phases: the gate, the flip, its rehearsal, the way back. Decides when a table's events become its truth, and changes
 * nothing but triggers, the phase function and bookkeeping. Must never write a row or an event.
 */
export { advance, complete } from './advance.js'
export type {
  CutoverAction,
  CutoverOptions,
  CutoverProgress,
  CutoverResult,
  GateCheck,
  GateName,
  Phase,
} from './cutover-result.js'
export { cutoverStatus } from './cutover-status.js'
export { opens } from './gate.js'
export { rehearse } from './rehearse.js'
export { rollback } from './rollback.js'
