import { shellWord } from '../errors/index.js'
import type { CaptureProblem as Found } from '../store/index.js'
import type { CaptureProblem } from './capture-result.js'

/** Whether `eventward capture on` is what mends it; the others are refused until someone else has mended them. Pure. */
export function isBroken({ problem }: Found): boolean {
  return MENDED.has(problem)
}

const MENDED: ReadonlySet<string> = new Set([
  'off',
  'another_table',
  'trigger_missing',
  'trigger_not_always',
  'trigger_foreign',
  'partition_detached',
])

/** What the catalog says, in words for the person on call. Pure. */
export function problemText(table: string, { problem, detail }: Found): CaptureProblem {
  const on = detail ?? ''
  const again = `eventward capture on ${shellWord(table)}`
  const told = (what: string, next: string): CaptureProblem => ({ code: problem, what, next, broken: true })
  switch (problem) {
    case 'another_table':
      return told(`it was renamed or dropped since, or another table bears the name ${on}`, again)
    case 'trigger_missing':
      return told(`trigger ${on} is gone: writes pass unseen`, again)
    case 'trigger_not_always':
      return told(`trigger ${on} does not fire always: some sessions' writes pass unseen`, again)
    case 'trigger_foreign':
      return told(`trigger ${on} is not the one that was put on`, again)
    case 'later_trigger':
      return told(
        `trigger ${on} fires after ours, and may change what is written`,
        'Rename it, so that it sorts before "~eventward_before": alter trigger ... on ... rename to ...',
      )
    case 'child':
      return told(
        `${on} inherits from it: what is written to it directly passes unseen`,
        `alter table ${on} no inherit ${table}`,
      )
    case 'rule':
      return told(`rule ${on} rewrites what is written`, 'Replace the rule by a trigger, or drop it.')
    case 'partition_detached':
      return told(`${on}, into which its events are written, is no partition of the events table`, again)
    default:
      return told(on === '' ? problem : `${problem}: ${on}`, again)
  }
}
