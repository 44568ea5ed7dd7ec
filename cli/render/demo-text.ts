import type { CutoverResult } from '../../src/cutover/index.js'
import type { DemoFound, DemoResult, DemoStep, LoadSummary } from '../../src/demo/index.js'
import type { Output } from '../io.js'
import { backfillText } from './backfill-text.js'
import { captureText } from './capture-text.js'
import { cutoverText } from './cutover-text.js'
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
    ...(step.writers === null ? [] : [`  ${mark.dim(writersText(step.writers))}`]),
    ...step.problems.map((problem) => `  ${mark.bad} ${problem}`),
    '',
  ].join('\n')
}

/** How it ended. Pure. */
export function demoText({ ok, seconds, tables, load }: DemoResult): string {
  if (!ok) return `✗ not as it must be, after ${seconds.toFixed(1)}s`
  const [first] = tables
  return [
    `✓ ${count(first?.rows)} rows are ${count(first?.events)} events, and both engines proved it, in ${seconds.toFixed(1)}s.`,
    ...(load === null ? [] : loadText(load)),
    '  The server and its files are removed. On your own database: eventward init --url postgresql://…',
  ].join('\n')
}

function loadText(load: LoadSummary): readonly string[] {
  const locks = load.locks.map(({ step, lockedMs }) => `${step} ${ms(lockedMs ?? 0)}`).join(' · ')
  return [
    `  Meanwhile four writers: ${number(load.attempted)} transactions, ${number(load.commands)} of them commands · lost ${load.lost} · doubled ${load.doubled} · application errors ${load.errors}`,
    `  Longest wait of any writer: ${ms(load.longestWaitMs)} (${load.longestWaitIn}); without us it was ${ms(load.withoutUs.maxMs)}`,
    `  Table locked: ${locks}`,
  ]
}

/** As the command says it, and what it did under the lock. */
function flipText(result: CutoverResult): string {
  const { attempts, lockedMs, reverified } = result
  if (lockedMs === null || result.action === 'rollback') return cutoverText(result)
  const streams = number(reverified?.streams ?? 0)
  const done = `try ${attempts}: ${streams} changed streams re-verified clean, table locked ${ms(lockedMs)}`
  return `${done}\n${cutoverText(result)}`
}

function ledgerText({ told, reconciled }: Extract<DemoFound, { readonly kind: 'ledger' }>): string {
  const { attempted, committed, rolledBack, refused, commands, errors, writes } = told
  const { rows, rowsDiffer, moments, lost, doubled, differ } = reconciled
  const compared =
    moments === 0
      ? []
      : [
          `${number(moments)} moments: lost ${lost} · doubled ${doubled} · events fold to another row ${differ}`,
        ]
  return [
    `${number(attempted)} attempted: ${number(committed)} committed (${number(commands)} commands), ${number(rolledBack)} rolled back, ${number(refused)} refused as expected, ${number(errors)} errors`,
    `${number(writes)} writes to rows; ${count(rows)} rows, ${rowsDiffer} of them not what the ledger says`,
    ...compared,
  ].join('\n')
}

function writersText({ plain, commands }: NonNullable<DemoStep['writers']>): string {
  const seen = ({ transactions, p50Ms, maxMs }: typeof plain) =>
    `${number(transactions)}, p50 ${ms(p50Ms)}, longest ${ms(maxMs)}`
  const called = commands.transactions === 0 ? '' : ` · commands: ${seen(commands)}`
  return `writers, transactions of plain SQL: ${seen(plain)}${called}`
}

function number(value: number): string {
  return count(String(value))
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
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
    case 'captured':
      return captureText([found.table], null, stream)
    case 'cutover':
      return flipText(found.result)
    case 'commands':
      return `${number(found.calls)} commands were called`
    case 'ledger':
      return ledgerText(found)
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
