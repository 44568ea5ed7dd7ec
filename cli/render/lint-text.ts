import type { LintFinding } from '../../src/inspect/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'

/** Findings, errors first. */
export function lintText(findings: readonly LintFinding[], stream: Output): string {
  const mark = marks(stream)
  if (findings.length === 0) return `${mark.ok} nothing to say about the definitions`
  return findings
    .map(({ level, table, aggregate, rule, message, next }) =>
      [
        `${level === 'error' ? mark.bad : mark.warn} ${level.padEnd(7)}  ${table} (${aggregate}): ${message}  [${rule}]`,
        `           ${next}`,
      ].join('\n'),
    )
    .join('\n')
}
