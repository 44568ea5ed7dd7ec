import { existsSync, readFileSync } from 'node:fs'

/** The version of eventward, from its package.json: two folders above the sources, three above what is built. */
export function toolVersion(): string {
  known ??= read()
  return known
}

let known: string | undefined

function read(): string {
  const file = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url))
  const content = file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as { version?: string })
  return content.version ?? '0.0.0'
}
