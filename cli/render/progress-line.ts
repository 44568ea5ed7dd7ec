import { type Pace, paceOf, type Sample } from './progress-record.js'
import { count, duration, percent } from './quantity.js'
import { recordLine } from './record-line.js'

const BAR = 18

/** The block for a terminal: where the table stands, how fast, how long yet. Pure. */
export function progressBlock(samples: readonly Sample[]): string {
  const last = samples.at(-1)
  if (last === undefined) return ''
  const { table, rows, total, estimate, events, note, unit = 'rows' } = last.record
  const pace = paceOf(samples)
  const lines = [
    `${table} ${bar(pace.share)} ${percent(pace.share)}  ${count(rows)} / ${count(total, estimate)} ${unit}`,
    `  ${speed(pace, unit)} · eta ${eta(pace, estimate)}${note === undefined ? '' : ` · ${note}`}`,
    `  ${events === null ? '' : `${count(events)} events · `}^C is safe: run again to go on`,
  ]
  return lines.join('\n')
}

/** The same as one line of `name=value`, for logs. Pure; `clock` is the time of day as it shall be shown. */
export function progressLine(command: string, samples: readonly Sample[], clock: string): string {
  const last = samples.at(-1)
  if (last === undefined) return ''
  const { table, rows, total, estimate, events, note, unit = 'rows' } = last.record
  const { rowsPerSecond, etaSeconds } = paceOf(samples)
  const parts = [
    `${unit}=${rows}/${total === null ? '?' : `${estimate ? '~' : ''}${total}`}`,
    ...(events === null ? [] : [`events=${events}`]),
    ...(rowsPerSecond === null ? [] : [`rate=${Math.round(rowsPerSecond)}`]),
    ...(etaSeconds === null ? [] : [`eta=${Math.round(etaSeconds)}s`]),
    ...(note === undefined ? [] : [`why=${JSON.stringify(note)}`]),
  ]
  return `${clock} ${command} ${table} ${parts.join(' ')}`
}

/** The same as one line of JSON, for scripts. Pure. */
export function progressJson(command: string, samples: readonly Sample[]): string {
  const last = samples.at(-1)
  if (last === undefined) return ''
  const { table, rows, total, estimate, events, note } = last.record
  const { rowsPerSecond, etaSeconds } = paceOf(samples)
  return recordLine('progress', command, {
    table,
    rows,
    total,
    estimate,
    events,
    rowsPerSecond: rowsPerSecond === null ? null : Math.round(rowsPerSecond),
    etaSeconds: etaSeconds === null ? null : Math.round(etaSeconds),
    ...(note === undefined ? {} : { note }),
  })
}

function bar(share: number | null): string {
  const full = share === null ? 0 : Math.floor(Math.min(share, 1) * BAR)
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

function speed({ rowsPerSecond }: Pace, unit: string): string {
  return rowsPerSecond === null ? `– ${unit}/s` : `${count(String(Math.round(rowsPerSecond)))} ${unit}/s`
}

function eta({ etaSeconds }: Pace, estimate: boolean): string {
  return etaSeconds === null ? '–' : `${estimate ? '≈' : ''}${duration(etaSeconds)}`
}
