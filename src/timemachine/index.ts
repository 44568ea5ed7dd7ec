/**
 * The time machine in SQL: functions that give a whole table as of a time, made from the compiled fold. Must never read
 * an event itself, nor touch an object of the application.
 */

export { refreshTimeMachine } from './refresh.js'
export type { MadeTimeMachine, RefusedTimeMachine, TimeMachine } from './time-machine-result.js'
export { timeMachineStatus } from './time-machine-status.js'
export { timeMachineOff } from './turn-off.js'
export { timeMachineOn } from './turn-on.js'
