import type { LoadedConfig } from './eventward-config.js';
/**
 * Checks what a configuration exports and fills in defaults. Pure.
 *
 * @param path the file; `shown` is how messages call it.
 * @throws UsageError EW_CONFIG_INVALID
 */
export declare function parseConfig(exported: unknown, path: string, shown: string): LoadedConfig;
