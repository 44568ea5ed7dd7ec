import type { LoadedConfig } from './eventward-config.js';
/**
 * Finds, loads and checks `eventward.config.ts`. Runs the code in it.
 *
 * @param path the file, absolute or relative to `cwd`; without it the usual names are looked for in `cwd`.
 * @throws UsageError EW_CONFIG_MISSING; EW_CONFIG_INVALID where it does not compile, throws, or is no configuration.
 */
export declare function loadConfig(path: string | undefined, cwd: string): Promise<LoadedConfig>;
