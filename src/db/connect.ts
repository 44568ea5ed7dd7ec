import pg from 'pg'
import { DatabaseError, UsageError } from '../errors/index.js'
import { databaseError } from './database-error.js'
import { pinSettings } from './pin-settings.js'
import { PinnedSession } from './pinned-session.js'
import type { ConnectOptions, Database, Session, Target } from './session.js'

/** How long a server may take to answer the first packet. */
const CONNECT_TIMEOUT_MS = 10_000

/** Every value as the text that the server sent. */
const TEXT_ONLY: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text }

/**
 * Connects: opens a pool, takes one session to see that the server answers, and gives the pool. Close it when done.
 * Without `url`, node-postgres reads the PG* variables.
 *
 * @throws UsageError EW_DB_URL for a URL that can't be read; DatabaseError EW_DB_UNREACHABLE, EW_DB_AUTH,
 * EW_DB_MISSING, EW_DB_FULL, EW_DB_POOLER (nothing was set). Later, from sessions: EW_DB_LOST, EW_DB_FAILED (`details.sqlstate`).
 */
export async function connect(options: ConnectOptions = {}): Promise<Database> {
  const config: pg.ClientConfig = {
    ...(options.url === undefined ? {} : { connectionString: checkedUrl(options.url) }),
    types: TEXT_ONLY,
    keepAlive: true,
  }
  const database = new PooledDatabase(config, options.max ?? 4, options.applicationName ?? 'eventward')
  try {
    await database.session(async () => undefined)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

class PooledDatabase implements Database {
  readonly target: Target
  readonly #pool: pg.Pool
  readonly #pinned = new WeakSet<pg.PoolClient>()
  readonly #busy = new Set<pg.PoolClient>()
  #closing: Promise<void> | undefined

  constructor(
    private readonly config: pg.ClientConfig,
    max: number,
    private readonly applicationName: string,
  ) {
    this.target = targetOf(config)
    // The timeout belongs to a client: as an option of the pool it would end the wait for a free client as well.
    class TimedClient extends pg.Client {
      constructor(given: pg.ClientConfig) {
        super({ ...given, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
      }
    }
    // The cast: the type has a `Client` that is made without arguments; the pool gives it its configuration.
    this.#pool = new pg.Pool({ ...config, max, Client: TimedClient } as unknown as pg.PoolConfig)
    // Without listeners the death of an idle (pool) or lent (client) connection would end the process. Whoever uses
    // the connection next gets the error.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#lend()
    const session = new PinnedSession(client, this.target)
    this.#busy.add(client)
    try {
      return await work(session)
    } finally {
      this.#busy.delete(client)
      client.release(session.broken)
    }
  }

  async cancelAll(): Promise<void> {
    const pids = [...this.#busy].map((client) =>
      // The server's own number: `refusePooler` has compared them.
      announcedPid(client),
    )
    if (pids.length === 0) return
    // From the side: every connection of the pool may be busy.
    const side = new pg.Client({ ...this.config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
    side.on('error', () => undefined)
    try {
      await side.connect()
      await side.query(
        'select pg_catalog.pg_cancel_backend(pid) from pg_catalog.unnest($1::integer[]) as pid',
        [pids],
      )
    } catch (error) {
      throw databaseError(error, this.target)
    } finally {
      await side.end().catch(() => undefined)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end()
    return this.#closing
  }

  async #lend(): Promise<pg.PoolClient> {
    try {
      const client = await this.#pool.connect()
      if (this.#pinned.has(client)) return client
      try {
        await refusePooler(client, this.target)
        await client.query(pinSettings(this.applicationName).text)
        this.#pinned.add(client)
        return client
      } catch (error) {
        client.release(true)
        throw error
      }
    } catch (error) {
      throw databaseError(error, this.target)
    }
  }
}

/**
 * A pooler announces a number of its own (BackendKeyData) in the place of the server's. Looked at before a setting is
 * pinned: a pooler lends the server's connection to others, who would live with our settings.
 */
async function refusePooler(client: pg.PoolClient, target: Target): Promise<void> {
  const { rows } = await client.query<{ pid: string }>('select pg_catalog.pg_backend_pid() as pid')
  if (rows[0]?.pid === announcedPid(client)) return
  const where = `${target.host}:${target.port}`
  throw new DatabaseError(
    'EW_DB_POOLER',
    `${where} is a connection pooler: what eventward sets for its session would come to other sessions`,
    {
      next: "Give eventward the server's own port. A pooler that pools sessions is refused too: nothing tells it from one that pools transactions.",
      details: { host: target.host, port: target.port, database: target.database },
    },
  )
}

/** The pid of BackendKeyData, which the driver keeps for its cancel requests. */
function announcedPid(client: pg.PoolClient): string {
  return String((client as unknown as { processID: number | null }).processID)
}

/** What the driver makes of URL and environment. */
function targetOf(config: pg.ClientConfig): Target {
  const { host, port, database, user } = new pg.Client(config)
  return { host, port: String(port), database: database ?? user ?? '', user: user ?? '' }
}

/** The URL itself is in no message and no cause: it may hold a password. */
function checkedUrl(url: string): string {
  const readable =
    /^postgres(ql)?:\/\//i.test(url) && URL.canParse(url.replace(/^[a-z]+:\/\/([^@/]*@)?\//i, 'x://$1h/'))
  if (readable) return url
  throw new UsageError('EW_DB_URL', 'the database URL can not be read', {
    next: 'Write postgresql://user:password@host:5432/database, with special characters of the password as %XX.',
  })
}
