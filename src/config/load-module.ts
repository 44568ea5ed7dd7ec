import { basename, dirname, sep } from 'node:path'
import { createJiti } from 'jiti'

/**
 * Loads a module, TypeScript or not, and gives its default export (or all exports, where it has none).
 * What it imports as `eventward` is the instance that runs: one set of classes, whatever is installed beside it.
 */
export async function loadModule(path: string): Promise<unknown> {
  const jiti = createJiti(path, {
    // A cache in node_modules would be one more thing that can be stale; a configuration is small.
    fsCache: false,
    tsconfigPaths: true,
    virtualModules: { eventward: await import('../index.js') },
  })
  forgetOwnFiles(jiti.cache, path)
  return jiti.import(path, { default: true })
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
