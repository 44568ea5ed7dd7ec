import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Below node_modules, so that what is built finds its dependencies and git ignores it. */
const BUILT = join(ROOT, 'node_modules/.cache/eventward-test')

/** The command line as it is published: `node BUILT_CLI`. A loader of TypeScript would take longer than most commands. */
export const BUILT_CLI = join(BUILT, 'cli/main.js')

/** Builds it, once a run. Type errors fail CI; on a machine where someone is at work they are told, and tests run. */
export async function buildCli(): Promise<void> {
  await mkdir(BUILT, { recursive: true })
  await copyFile(join(ROOT, 'package.json'), join(BUILT, 'package.json'))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', BUILT]
  try {
    await promisify(execFile)(process.execPath, [tsc, ...options])
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error
    process.stderr.write(`${(error as { readonly stdout?: string }).stdout ?? String(error)}\n`)
  }
}
