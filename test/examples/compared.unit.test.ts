import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const PAGE = new URL('docs/compared-with-emmett.md', ROOT)
const FILES = { eventward: 'examples/compared/eventward.ts', emmett: 'examples/compared/emmett.ts' } as const
const PARTS = ['events', 'row', 'commands', 'history'] as const

/** The lines of a file between `// #region name` and the next `// #endregion`; empty where there is none. */
function region(file: string, name: string): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8')
  return new RegExp(`// #region ${name}\\n([\\s\\S]*?)// #endregion`).exec(text)?.[1] ?? ''
}

const linesOf = (file: string, name: string) =>
  region(file, name)
    .split('\n')
    .filter((line) => line.trim() !== '').length

function linesTable(): string {
  const counts = (file: string) => PARTS.map((part) => linesOf(file, part))
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
  const [ours, theirs] = [counts(FILES.eventward), counts(FILES.emmett)]
  const rows = [
    ['', 'eventward', 'Emmett'],
    ...PARTS.map((part, index) => [part, String(ours[index] || ''), String(theirs[index])]),
    ['together', String(sum(ours)), String(sum(theirs))],
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `| ${'-'.repeat(widths[0]!)} | ${'-'.repeat(widths[1]! - 1)}: | ${'-'.repeat(widths[2]! - 1)}: |`
  const [head, ...body] = rows.map(line)
  return ['', head, rule, ...body, '', ''].join('\n')
}

describe('docs/compared-with-emmett.md', () => {
  it('shows the code that runs, and counts its lines (UPDATE_README=1 writes it)', () => {
    const text = readFileSync(PAGE, 'utf8')
    const expected = text
      .replace(
        /(<!-- code: (\S+)#(\S+) -->\n)[\s\S]*?(<!-- \/code -->)/g,
        (_, begin: string, file: string, name: string, end: string) =>
          `${begin}\n\`\`\`ts\n${region(file, name)}\`\`\`\n\n${end}`,
      )
      .replace(
        /(<!-- lines: [^>]*-->\n)[\s\S]*?(<!-- \/lines -->)/,
        (_, begin: string, end: string) => `${begin}${linesTable()}${end}`,
      )
    if (process.env['UPDATE_README'] === '1') writeFileSync(PAGE, expected)
    else expect(text).toBe(expected)
  })

  it('leaves no part of either program out', () => {
    const text = readFileSync(PAGE, 'utf8')
    for (const file of Object.values(FILES)) {
      const names = [...readFileSync(new URL(file, ROOT), 'utf8').matchAll(/\/\/ #region (\S+)/g)]
      expect(names.length).toBeGreaterThan(2)
      for (const [, name] of names) {
        expect(PARTS).toContain(name)
        expect(text).toContain(`<!-- code: ${file}#${name} -->\n\n\`\`\`ts\n`)
      }
    }
  })
})
