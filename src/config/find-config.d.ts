/** The names that are looked for, in this order. */
export declare const CONFIG_NAMES: readonly ['eventward.config.ts', 'eventward.config.mts', 'eventward.config.js', 'eventward.config.mjs'];
/**
 * Finds the configuration: the file named, else one of `CONFIG_NAMES` in `cwd`. Parent folders are not searched: which
 * database is touched must be seen from where one stands.
 *
 * @returns its absolute path.
 * @throws UsageError EW_CONFIG_MISSING
 */
export declare function findConfig(path: string | undefined, cwd: string): string;
