/**
 * Takes the PostgreSQL URL from a section of a knexfile: `./knexfile.ts#production`, relative to the configuration.
 * Without `#`: NODE_ENV, else development, as knex does; a file without sections is taken whole.
 *
 * @throws UsageError EW_KNEXFILE
 */
export declare function knexConnection(reference: string, configPath: string, env: Readonly<Record<string, string | undefined>>): Promise<string>;
