/**
 * Connections: pinned settings, transactions, one mapping of errors; runs `{ text, values }`, gives texts.
 * Must never know a table, a definition or a command.
 */
export { type ApplicationOptions, applicationKnex } from './application-knex.js'
export { connect } from './connect.js'
export { databaseError, sqlstateOf } from './database-error.js'
export { driverPool } from './driver-pool.js'
export { builder, fromKnex } from './knex-builder.js'
export { pinSettings } from './pin-settings.js'
export type { ConnectOptions, Database, Session, Target, TextRow, TransactionOptions } from './session.js'
export { NEWER_SETTINGS, OUTPUT_SETTINGS, SESSION_SETTINGS } from './session-settings.js'
