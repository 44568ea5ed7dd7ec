import type { DemoFound, DemoResult, DemoStep } from '../../src/demo/index.js'
import type { Output } from '../io.js'
import { backfillText } from './backfill-text.js'
import { explainText } from './explain-text.js'
import { historyText } from './history-text.js'
import { marks } from './marks.js'
import { migrateText } from './migrate-text.js'
import { planText } from './plan-text.js'
import { count } from './quantity.js'
import { statusText } from './status-text.js'
import { verifyText } from './verify-text.js'

/** One step of the demo, as it is done: what, the command, and what came out. */
export function demoStepText(step: DemoStep, stream: Output): string {
  const mark = marks(stream)
  const sign = step.problems.length === 0 ? mark.ok : mark.bad
  return [
    `${sign} ${mark.bold(step.says)} ${mark.dim(`${step.seconds.toFixed(1)}s`)}`,
    ...(step.command === null ? [] : [`  $ ${step.command}`]),
    indent(foundText(step.found, stream)),
    ...step.problems.map((problem) => `  ${mark.bad} ${problem}`),
    '',
  ].join('\n')
}

/** How it ended. Pure. */
export function demoText({ ok, seconds, tables }: DemoResult): string {
  if (!ok) return `✗ not as it must be, after ${seconds.toFixed(1)}s`
  const [first] = tables
  return [
    `✓ ${count(first?.rows)} rows became ${count(first?.events)} events, and both engines proved it, in ${seconds.toFixed(1)}s.`,
    '  The server and its files are removed. On your own database: eventward init --url postgresql://…',
  ].join('\n')
}

function foundText(found: DemoFound, stream: Output): string {
  switch (found.kind) {
    case 'legacy':
      return `${found.version}, for this demo alone: ${found.table}, ${count(found.rows)} rows`
    case 'definition':
      return found.refined
    case 'migrated':
      return migrateText(found.result)
    case 'planned':
      return planText(found.tables, stream)
    case 'backfilled':
      return backfillText([found.table], 'eventward verify subscriptions')
    case 'verified':
      return verifyText([found.table], found.differences, stream)
    case 'history':
      return historyText(found.history)
    case 'explained':
      return explainText(found.explained)
    case 'planted':
      return found.what.map((line) => `! ${line}`).join('\n')
    case 'status':
      return statusText(found.tables, stream)
  }
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
