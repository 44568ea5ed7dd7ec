/**
 * SQL as text: quoting, the `sql` tag, and the compiler of a bound model. Pure: runs nothing, knows no connection.
 */
export { ident, qualified } from './ident.js'
export { literal, literalOrNull } from './literal.js'
export type { Query, QueryValue } from './query.js'
export { Fragment, raw, sql } from './sql-tag.js'
