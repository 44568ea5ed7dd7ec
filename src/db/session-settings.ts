/**
 * What decides how a value is written as text. Pinned on every session of ours and on every function that we generate,
 * so that "canonical text" means one thing: TimeZone, DateStyle and the like otherwise vary with the role, the
 * database and the application. `search_path` is a list (never quote it as one name).
 */
export const OUTPUT_SETTINGS: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog, pg_temp',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  xmloption: 'content',
}

/** All that a session of ours pins, in the order in which it's set. */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  ...OUTPUT_SETTINGS,
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  // How `'{null}'::text[]` and `= null` are read.
  array_nulls: 'on',
  transform_null_equals: 'off',
  // A policy then raises an error instead of hiding rows from us.
  row_security: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // Bounds are set per transaction, with `set local`; a default of the role would end a long verify in the middle.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  client_min_messages: 'warning',
  // Each range of a verify is a statement that the planner thinks dear enough to compile, anew each time.
  jit: 'off',
}

/** As `SESSION_SETTINGS`, but known to newer servers only (17): set where they exist. */
export const NEWER_SETTINGS: Readonly<Record<string, string>> = { transaction_timeout: '0' }
