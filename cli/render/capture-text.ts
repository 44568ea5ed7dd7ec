import type { CaptureFailure, CaptureResult, CaptureStatus } from '../../src/capture/index.js'
import type { LockProgress } from '../../src/store/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { table } from './table.js'

/** What became of each table: what was changed, and how long its writers can have waited. */
export function captureText(
  results: readonly (CaptureResult | CaptureFailure)[],
  next: string | null,
  stream: Output,
): string {
  const mark = marks(stream)
  const rows = results.map((one) =>
    'error' in one
      ? [`${mark.bad} ${one.table}`, '–', '–', one.error.code, '–', '–', '–']
      : [
          `${mark.ok} ${one.table}`,
          one.capture,
          one.phase,
          CHANGES[one.change],
          one.attempts === 0 ? '–' : String(one.attempts),
          ms(one.waitedMs),
          ms(one.lockedMs),
        ],
  )
  // The first one is told below, as the command's error.
  const errors = results.flatMap((one) => ('error' in one ? [one] : [])).slice(1)
  const notices = new Set(results.flatMap((one) => ('error' in one ? [] : one.notices)))
  return [
    table(HEADS, rows),
    ...[...notices].map((notice) => `${mark.warn} ${notice}`),
    ...errors.map(
      ({ error }) => `${mark.bad} ${error.message}${error.next === undefined ? '' : `. ${error.next}`}`,
    ),
    ...(next === null ? [] : [`next: ${next}`]),
  ].join('\n')
}

const HEADS = [
  { head: '  TABLE' },
  { head: 'CAPTURE' },
  { head: 'PHASE' },
  { head: 'CHANGE' },
  { head: 'TRIES', align: 'right' },
  { head: 'WAITED', align: 'right' },
  { head: 'LOCKED', align: 'right' },
] as const

const CHANGES: Readonly<Record<CaptureResult['change'], string>> = {
  installed: 'turned on',
  replaced: 'functions replaced',
  removed: 'turned off',
  none: 'nothing to do',
}

/** How each table's capture is; what is wrong stands below. */
export function captureStatusText(tables: readonly CaptureStatus[], stream: Output): string {
  const mark = marks(stream)
  const sign = { on: mark.ok, off: mark.none, broken: mark.bad } as const
  const rows = tables.map((one) => [
    `${sign[one.capture]} ${one.table}`,
    one.capture,
    one.phase,
    one.since ?? '–',
    one.capture === 'off' ? '–' : one.directWrites,
  ])
  const problems = tables.flatMap((one) =>
    one.problems.map(
      ({ what, next, broken }) => `${broken ? mark.bad : mark.warn} ${one.table}: ${what} → ${next}`,
    ),
  )
  return [table(STATUS_HEADS, rows), ...problems].join('\n')
}

const STATUS_HEADS = [
  { head: '  TABLE' },
  { head: 'CAPTURE' },
  { head: 'PHASE' },
  { head: 'SINCE' },
  { head: 'DIRECT WRITES' },
] as const

/** A try that came to nothing, as it happens. Pure. */
export function lockText({ table: name, attempt, why, waitedMs, nextInMs }: LockProgress): string {
  const after = waitedMs === 0 ? 'not asked for' : `given up after ${ms(waitedMs)}`
  const then = nextInMs === null ? '' : `; again in ${ms(nextInMs)}`
  return `${name}: lock ${after} (try ${attempt}), ${why}${then}`
}

function ms(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)} ms`
}
