import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../cli/commands/index.js'

const README = new URL('../../README.md', import.meta.url)
const BLOCK = /(<!-- commands: [^>]*-->\n)[\s\S]*?(<!-- \/commands -->)/

/** The commands as README lists them: usage, what it does, its options; padded as the formatter pads. */
function commandsTable(): string {
  const rows = COMMANDS.map(({ usage, summary, options }) => {
    const named = Object.keys(options).filter((name) => !new RegExp(`[[<]${name}\\b`).test(usage))
    return [`\`${usage}\``, summary, named.map((name) => `\`--${name}\``).join(', ')]
  })
  const all = [['command', 'what it does', 'options'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = all.map(line)
  return ['', head, line(widths.map((width) => '-'.repeat(width))), ...body, '', ''].join('\n')
}

describe('README', () => {
  it('lists the commands as the command line has them (UPDATE_README=1 writes it)', () => {
    const text = readFileSync(README, 'utf8')
    const expected = text.replace(
      BLOCK,
      (_, begin: string, end: string) => `${begin}${commandsTable()}${end}`,
    )
    if (process.env['UPDATE_README'] === '1') writeFileSync(README, expected)
    else expect(text).toBe(expected)
    expect(text).toMatch(BLOCK)
  })

  it('names no command that is not there', () => {
    const text = readFileSync(README, 'utf8')
    const known = COMMANDS.map(({ usage }) => usage.split(' ')[0])
    const named = [...text.matchAll(/(?:npx |`)eventward ([a-z]+)/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(5)
    for (const name of named) expect(known).toContain(name)
  })
})
