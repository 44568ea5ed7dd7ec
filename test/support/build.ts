import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Below node_modules, so that what is built finds its dependencies and git ignores it. */
const CACHE = join(ROOT, 'node_modules/.cache')
const PREFIX = 'eventward-test-'

/**
 * Builds the command line and the processes of tests, for this run alone: whoever runs other tests meanwhile, of
 * sources that have changed, builds his own. Types are looked at by `npm run typecheck`: here it would double the time.
 */
export async function build(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  await removeForgotten()
  const folder = join(CACHE, `${PREFIX}${process.pid}`)
  await mkdir(folder, { recursive: true })
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'))
  const project = join(folder, 'tsconfig.json')
  await writeFile(
    project,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.build.json'),
      compilerOptions: { rootDir: ROOT, outDir: folder, noCheck: true, declaration: false },
      include: ['src', 'cli', 'migrations', 'test/**/*-process.ts'].map((path) => join(ROOT, path)),
    }),
  )
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', project])
  } catch (error) {
    // A line that is half typed shall not stop whoever is at work.
    if (process.env['CI'] !== undefined) throw error
    process.stderr.write(`${(error as { readonly stdout?: string }).stdout ?? String(error)}\n`)
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** What runs left that were killed. */
async function removeForgotten(): Promise<void> {
  const names = await readdir(CACHE).catch(() => [])
  const forgotten = names.filter(
    (name) => name.startsWith(PREFIX) && !isAlive(Number(name.slice(PREFIX.length))),
  )
  await Promise.all(forgotten.map((name) => rm(join(CACHE, name), { recursive: true, force: true })))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
