import { existsSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { createJiti } from 'jiti'

/**
 * Loads a module, TypeScript or not, and gives its default export (or all exports, where it has none).
 * What it imports as `eventward` is the instance that runs: one set of classes, whatever is installed beside it.
 */
export async function loadModule(path: string): Promise<unknown> {
  const jiti = createJiti(path, {
    fsCache: cacheFolder(path) ?? false,
    tsconfigPaths: true,
    virtualModules: { eventward: await import('../index.js') },
  })
  forgetOwnFiles(jiti.cache, path)
  return jiti.import(path, { default: true })
}

/**
 * Compiling the description of 1,000 tables takes 12 s, reading it from a cache 50 ms. The cache goes by the hash of
 * the source, so it can't be stale. Never in the common temporary folder, jiti's own choice where there is no
 * node_modules: another user could put code there for us to run.
 */
function cacheFolder(path: string): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) return join(modules, '.cache', 'eventward')
    if (folder === dirname(folder)) return null
  }
}

/** `init` may just have written these files anew in this very process. */
function forgetOwnFiles(cache: NodeJS.Dict<NodeJS.Module>, path: string): void {
  const folder = dirname(path) + sep
  for (const name of Object.keys(cache)) {
    if (name === path || (name.startsWith(folder) && basename(name).startsWith('eventward.'))) {
      delete cache[name]
    }
  }
}
