import type { ConnectOptions } from '../db/index.js';
import type { LoadedConfig } from './eventward-config.js';
/** Where a connection may come from. */
export interface ConnectionSources {
    /** `--url` */
    readonly url?: string | undefined;
    readonly config?: Pick<LoadedConfig, 'path' | 'connection' | 'knexfile'> | undefined;
    readonly env: Readonly<Record<string, string | undefined>>;
}
/**
 * Says how to connect: `--url`, else the configuration's connection or knexfile, else DATABASE_URL, else PG*
 * (no `url`: the driver reads those). Runs the code of a knexfile.
 *
 * @throws UsageError EW_KNEXFILE where the knexfile gives no PostgreSQL connection.
 */
export declare function resolveConnection({ url, config, env }: ConnectionSources): Promise<ConnectOptions>;
