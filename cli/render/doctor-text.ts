import type { Finding } from '../../src/inspect/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'

/** Findings, the gravest first; what is fine about single tables only with `verbose`. */
export function doctorText(findings: readonly Finding[], stream: Output, verbose: boolean): string {
  const mark = marks(stream)
  const signs = { stop: mark.bad, warn: mark.warn, info: mark.none, ok: mark.ok } as const
  const shown = findings.filter(({ severity, table }) => verbose || severity !== 'ok' || table === null)
  const lines = ORDER.flatMap((severity) => shown.filter((finding) => finding.severity === severity)).map(
    ({ severity, table, check, message, next }) =>
      [
        `${signs[severity]} ${severity.padEnd(4)}  ${table === null ? '' : `${table}: `}${check}: ${message}`,
        ...(next === null ? [] : [`        ${next}`]),
      ].join('\n'),
  )
  const hidden = findings.length - shown.length
  return [...lines, ...(hidden === 0 ? [] : [mark.dim(`  ${hidden} more are fine (--verbose)`)])].join('\n')
}

const ORDER = ['stop', 'warn', 'info', 'ok'] as const
