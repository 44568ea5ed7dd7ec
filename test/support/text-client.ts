import pg from 'pg'

const TEXT_ONLY = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig

/** A connected client without pinned settings, which gives every value as text: an application, or the superuser. */
export async function textClient(url: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types: TEXT_ONLY, ...options })
  // The server ends some of them on purpose; whoever waits for a query gets the error.
  client.on('error', () => undefined)
  await client.connect()
  return client
}
