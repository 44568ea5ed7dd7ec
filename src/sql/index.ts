/**
 * SQL as text: quoting, the `sql` tag, and the compiler of a bound model. Pure: runs nothing, knows no connection.
 */
export { compileBoundary, compileGreatestKey } from './compile-boundary.js'
export {
  columnOf,
  decodeSql,
  differsSql,
  encodeSql,
  hasTextSql,
  isPresent,
  keyColumns,
  objectSql,
  streamIdSql,
  textSql,
} from './compile-encode.js'
export { compileExplain, type ExplainInput } from './compile-explain.js'
export { instantSql, ofInstantSql } from './compile-instant.js'
export {
  compileRecognise,
  type EventSql,
  type RecogniseInput,
  type RecogniseSql,
  typeLiteral,
} from './compile-recognise.js'
export { compileDryRun, compileSlice, type SliceInput } from './compile-slice.js'
export { ident, qualified } from './ident.js'
export {
  type KeyColumn,
  keyJson,
  keyOrder,
  keyRange,
  type TypedKey,
  typedKey,
} from './key-range.js'
export { literal, literalOrNull } from './literal.js'
export type { Query, QueryValue } from './query.js'
export { Fragment, raw, sql } from './sql-tag.js'
