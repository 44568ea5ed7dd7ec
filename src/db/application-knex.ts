import createKnex, { type Knex } from 'knex'

export interface ApplicationOptions {
  /** Without one, node-postgres reads the PG* variables. */
  readonly url: string | undefined
  readonly applicationName: string
  /** Connections at most. @default 1 */
  readonly max?: number
}

/** A knex as an application has it: none of our settings, pg's own types. Destroy it when done. */
export function applicationKnex({ url, applicationName, max = 1 }: ApplicationOptions): Knex {
  return createKnex({
    client: 'pg',
    connection: {
      ...(url === undefined ? {} : { connectionString: url }),
      application_name: applicationName,
    },
    pool: { min: 0, max },
  })
}
