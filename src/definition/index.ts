/**
 * What a user says about a table, and the model that it becomes. Pure: knows no database, no clock, no process.
 */
export * from './model.js'
