/** docs/errors.md has every code that the source has, and no other. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')

/** The cells of each row whose first one is a code. */
const rows = [...page.matchAll(/^\| `(EW_?[A-Z0-9_]+)` +\|(.*)\|$/gm)].map(([, code = '', cells = '']) => ({
  code,
  cells: cells.split('|').map((cell) => cell.trim()),
}))

const source = ['src', 'cli', 'migrations']
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  )
  // A comment may speak of a code that is to come, or of none in particular.
  .map((text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, ''))

/** A prefix (`EW_DB_${string}`) is none. */
const CODE = /\bEW_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)/g
const STATE = /\bEW0\d\d\b/g

const found = (pattern: RegExp) =>
  [...new Set(source.flatMap((text) => [...text.matchAll(pattern)].map(([code]) => code)))].toSorted()
const told = (pattern: RegExp) =>
  rows.flatMap(({ code }) => (code.search(pattern) === 0 ? [code] : [])).toSorted()

describe('docs/errors.md', () => {
  it('tells every code of the source, once, and none that is gone', () => {
    expect(found(CODE).length).toBeGreaterThan(150)
    expect(told(CODE)).toEqual(found(CODE))
  })

  it('tells every SQLSTATE that our SQL raises', () => {
    expect(told(STATE)).toEqual(found(STATE))
  })

  it('says of each what it means, and what to do', () => {
    for (const { code, cells } of rows) {
      expect(cells.length, code).toBe(code.startsWith('EW_') ? 2 : 1)
      for (const cell of cells) expect(cell.length, code).toBeGreaterThan(3)
    }
  })
})
