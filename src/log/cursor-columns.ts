import { type Query, raw, sql } from '../sql/index.js'
import type { Cursor } from './cursor.js'

/** How a table keeps a cursor: the columns that go by these names in migrations 009 and 010. */
const COLUMNS = [
  ['snapshot', 'snapshot', 'pg_snapshot'],
  ['restored', 'restored', 'int8'],
  ['horizon', 'horizon', 'int8'],
  ['nextHorizon', 'next_horizon', 'int8'],
  ['pendingPosition', 'pending_position', 'int8'],
  ['pendingNext', 'pending_next', 'xid8'],
  ['upto', 'upto', 'pg_snapshot'],
  ['position', 'window_position', 'int8'],
] as const satisfies readonly (readonly [keyof Cursor, string, string])[]

/** SQL of the columns: `snapshot, horizon, ...`, behind `prefix`. */
export function cursorColumns(prefix = ''): Query {
  return raw(COLUMNS.map(([, column]) => `${prefix}${column}`).join(', '))
}

/** SQL of a cursor's values, in the order of the columns. */
export function cursorValues(cursor: Cursor): Query {
  return join(COLUMNS.map(([member, , type]) => sql`${cursor[member]}::pg_catalog.${raw(type)}`))
}

/** SQL that sets the columns: `snapshot = ..., horizon = ...`. */
export function setCursor(cursor: Cursor): Query {
  return join(
    COLUMNS.map(([member, column, type]) => sql`${raw(column)} = ${cursor[member]}::pg_catalog.${raw(type)}`),
  )
}

/** A cursor as a row of such a table gives it. */
export function cursorOf(row: Readonly<Record<string, string | null>>): Cursor {
  return {
    snapshot: row['snapshot'] ?? null,
    restored: row['restored'] ?? null,
    horizon: row['horizon'] ?? '0',
    nextHorizon: row['next_horizon'] ?? null,
    pendingPosition: row['pending_position'] ?? null,
    pendingNext: row['pending_next'] ?? null,
    upto: row['upto'] ?? null,
    position: row['window_position'] ?? '0',
  }
}

function join(parts: readonly Query[]): Query {
  return parts.reduce((all, part) => sql`${all}, ${part}`)
}
