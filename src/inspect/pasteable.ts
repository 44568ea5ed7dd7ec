import type { Finding } from './finding.js'

const SQL = /^(grant|create role) /

/**
 * Remedies that are SQL, so that all of them can be pasted into psql one after the other: each statement ends with a
 * semicolon and is told once.
 */
export function pasteable(findings: readonly Finding[]): readonly Finding[] {
  const told = new Set<string>()
  return findings.map((finding) => {
    if (finding.next === null || !SQL.test(finding.next)) return finding
    const statements = finding.next.split('; ').filter((statement) => !told.has(statement))
    for (const statement of statements) told.add(statement)
    const next = statements.map((statement) => `${statement};`).join(' ')
    return { ...finding, next: next === '' ? 'As said above.' : next }
  })
}
