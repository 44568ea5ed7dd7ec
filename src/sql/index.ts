/**
 * SQL as text: quoting, the `sql` tag, and the compiler of a bound model. Pure: runs nothing, knows no connection.
 */

export type { CaptureInput } from './capture/capture-input.js'
export { modelOfTriggers as modelUnderAnySettings } from './capture/capture-model.js'
export { type CaptureNames, captureNames } from './capture/capture-names.js'
export { compileCapture } from './capture/compile-capture.js'
export { CAPTURE_SETTINGS } from './capture/output-settings.js'
export { type AsOfColumn, type AsOfInput, asOfColumns, compileAsOf } from './compile-as-of.js'
export { compileBoundary, compileGreatestKey } from './compile-boundary.js'
export { type ColumnText, compileCanonicalTexts } from './compile-canonical-texts.js'
export {
  columnOf,
  decodeSql,
  differsSql,
  hasTextSql,
  isPresent,
  keyColumns,
  memberSql,
  objectSql,
  streamIdSql,
  textSql,
} from './compile-encode.js'
export { compileExplain, type ExplainInput } from './compile-explain.js'
export { compileFillRows, compileLinkRows, foldedRowsSql, givenRowsSql } from './compile-fill-rows.js'
export { compileFoldStreams, type EventsName } from './compile-fold.js'
export { instantSql, ofInstantSql } from './compile-instant.js'
export { compileMiddleStream } from './compile-middle-stream.js'
export {
  compileRecognise,
  type EventSql,
  type RecogniseInput,
  type RecogniseSql,
  typeLiteral,
} from './compile-recognise.js'
export {
  compileAppendEvents,
  compileInstants,
  compileLockRow,
  compileTouchRow,
  type NewEvent,
} from './compile-repair.js'
export { compileReplayStream, localTimeSql } from './compile-replay-stream.js'
export { compileDryRun, compileSlice, type SliceInput } from './compile-slice.js'
export { compileStreamEvents, compileVerifyDetail } from './compile-verify-detail.js'
export { compileVerifyRows } from './compile-verify-rows.js'
export {
  type Between,
  compileTouchedPage,
  compileVerifySet,
  idsSql,
  type Mark,
  touchedSinceSql,
} from './compile-verify-set.js'
export { compileVerifyStreams, type VerifySource } from './compile-verify-streams.js'
export { ident, qualified } from './ident.js'
export { inlineQuery } from './inline-query.js'
export {
  type KeyColumn,
  keyColumnSql,
  keyJson,
  keyOrder,
  keyRange,
  type TypedKey,
  typedKey,
} from './key-range.js'
export { literal, literalOrNull } from './literal.js'
export { NEXT_ID } from './next-id.js'
export type { Query, QueryValue } from './query.js'
export { rowColumn, rowOfStreamSql } from './row-of-stream.js'
export { Fragment, raw, sql } from './sql-tag.js'
export { textAnywhere } from './text-anywhere.js'
export { compileStreamBoundary, type StreamRange, streamRangeSql } from './verify-range.js'
