/**
 * `eventward.config.ts`: its form, how it is found and loaded, and which connection it means. Must never know what is
 * done with it.
 */

export {
  type ColumnMask,
  defineConfig,
  type EventsTable,
  type EventwardConfig,
  type LoadedConfig,
  type NamedDispatcher,
  type NamedProjection,
} from './eventward-config.js'
export { CONFIG_NAMES, findConfig } from './find-config.js'
export { loadConfig } from './load-config.js'
export { loadModule } from './load-module.js'
export { type ConnectionSources, resolveConnection } from './resolve-connection.js'
