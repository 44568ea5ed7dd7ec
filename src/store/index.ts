/**
 * What eventward keeps in a database: the events table and its partitions, frozen definitions, runs and their chunks.
 * Knows sessions and models; must never know a command, nor read a row of a legacy table.
 */
export { archiveName, archivePartition, type Partition, partitionOf } from './archive-partition.js'
export {
  type Capture,
  type CapturedPhase,
  clearProof,
  lockCapture,
  type NewCapture,
  type Proof,
  readCapture,
  readCaptureOfTable,
  writeCaptureOff,
  writeCaptureOn,
  writeProof,
} from './captures.js'
export {
  addChunks,
  type Chunk,
  type ChunkError,
  claimChunk,
  deferChunk,
  type KeyTexts,
  leftChunks,
  type NewChunk,
  type SliceCounts,
  storeProgress,
  touchGivenUp,
} from './chunks.js'
export { type Defined, lockDefinition } from './definition-lock.js'
export { ensurePartition } from './ensure-partition.js'
export { marker } from './event-mark.js'
export { readEventsTable, requireEventsTable } from './events-table.js'
export { type CaptureProblem, captureProblems, readFingerprint } from './fingerprint.js'
export { frozenShapes } from './frozen-shapes.js'
export { type Incomplete, readIncomplete, resolveIncomplete, restoredIncomplete } from './incomplete.js'
export { blockerNames, type LockBlocker, type LockMode, lockBlockers } from './lock-blockers.js'
export { RESTART, refusePendingRestart, restartPending } from './pending-restart.js'
export {
  forgetDefinition,
  installDefinition,
  refuseChangedDefinition,
  registerDefinition,
} from './register-definition.js'
export { unregisteredShapes } from './registered-shapes.js'
export {
  type Epoch,
  type LiveColumn,
  movesText,
  pendingMoves,
  type RowMove,
  recordEpochs,
} from './row-moves.js'
export { progressOf, type RunProgress } from './run-progress.js'
export {
  finishRun,
  type NewRun,
  openRun,
  type Run,
  type RunState,
  resumableRun,
  resumeRun,
  settleRun,
  storeFrontier,
} from './runs.js'
export { readNames, type StoredNames } from './stored-names.js'
export { DROPPED, type StoredShapes, storedShapes } from './stored-shapes.js'
export { type Locked, type LockProgress, type TableLock, withTableLock } from './table-lock.js'
export { toolVersion } from './tool-version.js'
export { verifiedMark } from './verified-mark.js'
