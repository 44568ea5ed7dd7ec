/** The examples of README, docs/definitions.md and docs/runtime.md compile; definitions are taken when they run. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, optionsOf, programOf } from './page-programs.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** The first block of the page is the file of tables, the second one the file of a definition, which others import. */
const [tables = '', order = '', ...definitions] = blocksOf(read('docs/definitions.md'))
const options = optionsOf(read('docs/definitions.md'))
const OWN: Readonly<Record<string, string>> = {
  'eventward.tables': tables,
  order,
  ...numbered('definitions', definitions),
  ...numbered('option', options),
}
/** These speak of the subscriptions of page-names.ts. */
const OTHERS: Readonly<Record<string, string>> = {
  ...numbered('runtime', blocksOf(read('docs/runtime.md'))),
  ...numbered(
    'readme',
    blocksOf(read('README.md')).map((block) => block.replace(/^import .*tables\.js'.*$/m, '')),
  ),
}

describe('the examples of the pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eventward-pages-'))
  const run = (script: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], { encoding: 'utf8' })

  beforeAll(() => {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
    for (const [name, example] of Object.entries({ ...OWN, ...OTHERS })) {
      writeFileSync(join(folder, `${name}.ts`), programOf(example))
    }
    const all = Object.keys(OWN).map((name) => `import './${name}.js'\n`)
    writeFileSync(join(folder, 'all.ts'), all.join(''))
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('are found', () => {
    expect(definitions.length).toBeGreaterThan(2)
    expect(options.length).toBeGreaterThan(30)
    expect(Object.keys(OTHERS).length).toBeGreaterThan(8)
  })

  it('compile', () => {
    expect(run('typescript/bin/tsc', '-p', folder, '--pretty', 'false').stdout).toBe('')
  })

  it('are definitions that are taken when they run', () => {
    const { status, stderr } = run('tsx/dist/cli.mjs', join(folder, 'all.ts'))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('docs/definitions.md', () => {
  const page = read('docs/definitions.md')
  /** Names in the first column of a section's table. */
  const told = (heading: string) =>
    namesIn(page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '', /^\| `(\w+)`/gm)
  /** Names in quotes, from a text of a file to another. */
  const known = (file: string, [from, to]: readonly [string, string]) =>
    namesIn(read(file).split(from)[1]?.split(to)[0] ?? '', /'(\w+)'/g)

  it('tells every option of an event, of an aggregate and of a configuration', () => {
    const check = 'src/definition/check-input.ts'
    expect(told('An event')).toEqual(known(check, ['EVENT_OPTIONS = [', ']']))
    expect([...told("An aggregate's options"), 'events'].toSorted()).toEqual(
      known(check, ['AGGREGATE_OPTIONS = [', ']']),
    )
    expect(told('The configuration')).toEqual(known('src/config/parse-config.ts', ['PROPERTIES = [', ']']))
  })

  it('tells every rule of lint', () => {
    const rules = known('src/inspect/lint-finding.ts', ['readonly rule:', 'readonly'])
    expect(rules.length).toBeGreaterThan(8)
    expect(told('What explain and lint say')).toEqual(rules)
  })
})

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name).toSorted()
}

function numbered(page: string, examples: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(examples.map((example, index) => [`${page}-${index}`, example]))
}

const CONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    declaration: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  },
  include: ['*.ts'],
}
