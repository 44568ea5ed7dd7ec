import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The command line as it is published: `node CLI`. A loader of TypeScript would take longer than most commands. */
export function builtCli(): string {
  return join(inject('built'), 'cli/main.js')
}

/** The built form of a `*-process.ts` beside the module of `url`: `node SCRIPT`. */
export function builtScript(file: string, url: string): string {
  const folder = relative(ROOT, dirname(fileURLToPath(url)))
  return join(inject('built'), folder, file.replace(/\.ts$/, '.js'))
}
