import type { ExportResult, ImportResult } from '../../src/transfer/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'
import { count, duration, plural } from './quantity.js'

/** What is in the file, and what was masked. Pure. */
export function exportText(result: ExportResult, stream: Output): string {
  const mark = marks(stream)
  const { file, aggregates, events, seconds, eventsPerSecond, resumed, masks } = result
  const masked = Object.entries(masks.columns).flatMap(([table, columns]) =>
    Object.entries(columns).map(([column, mask]) => `${table}.${column} ${mask}`),
  )
  const all = [...masked, ...masks.metadata.map((name) => `metadata ${name} hash`)]
  return [
    `${mark.ok} ${plural(events, 'event')} of ${plural(aggregates.length, 'aggregate')}${file === null ? '' : ` in ${file}`}`,
    `  ${pace(seconds, eventsPerSecond, 'events')}${resumed ? ' · went on with what was there' : ''}`,
    all.length === 0
      ? `  ${mark.warn} nothing is masked: the file holds what the tables hold`
      : `  masked: ${all.join(', ')}`,
    `  sha256 ${result.sha256}`,
  ].join('\n')
}

/** What is there now, and what to do next. Pure. */
export function importText(result: ImportResult, next: string, stream: Output): string {
  const mark = marks(stream)
  const { events, tables, source, seconds, eventsPerSecond, resumed } = result
  return [
    `${mark.ok} ${plural(events, 'event')} of ${source.database}${source.label === null ? '' : ` · ${source.label}`}`,
    ...tables.map(({ table, rows }) => `  ${table}: ${plural(rows, 'row')}`),
    `  ${pace(seconds, eventsPerSecond, 'events')}${resumed ? ' · went on with what was there' : ''}`,
    `  next: ${next}`,
  ].join('\n')
}

function pace(seconds: number, perSecond: number | null, unit: string): string {
  return `${duration(seconds)}${perSecond === null ? '' : ` · ${count(String(perSecond))} ${unit}/s`}`
}
