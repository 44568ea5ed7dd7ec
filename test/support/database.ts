import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { connect, type Database } from '../../src/db/index.js'
import { ident } from '../../src/sql/index.js'
import { TEMPLATE } from './global-setup.js'
import { until } from './race.js'
import { textClient } from './text-client.js'

export interface TestDatabase {
  readonly name: string
  readonly url: string
  /** Our own pool on it, opened at first use. */
  readonly database: Database
  /** A raw client as superuser: all values are texts, no settings are pinned. */
  readonly admin: pg.Client
  /** One more raw client, closed at the end of the file. */
  client(): Promise<pg.Client>
}

/**
 * A database of its own for the tests of a `describe`, made before them and dropped after them. Call it in the body of
 * `describe`. A connection that is still open at the end (but the ones given by this object) fails the file.
 *
 * @param options.migrated false for an empty database. @default true
 */
export function testDatabase(options: { readonly migrated?: boolean } = {}): TestDatabase {
  const name = `t_${randomBytes(6).toString('hex')}`
  const clients: pg.Client[] = []
  let url = ''
  let database: Database | undefined
  let admin: pg.Client | undefined

  beforeAll(async () => {
    const template = options.migrated === false ? 'template1' : TEMPLATE
    // By copies of files: page by page through the WAL it takes four times as long.
    await maintain(`create database ${ident(name)} template ${template} strategy file_copy`)
    const own = new URL(inject('serverUrl'))
    own.pathname = name
    url = own.href
    admin = await textClient(url)
    database = await connect({ url, max: 10 })
  })

  afterAll(async () => {
    await database?.close()
    await Promise.all([...clients, ...(admin === undefined ? [] : [admin])].map((client) => client.end()))
    const leaked = await openConnections(name)
    await maintain(`drop database if exists ${ident(name)} with (force)`)
    if (leaked.length > 0) throw new Error(`connections were left open:\n${leaked.join('\n')}`)
  })

  return {
    name,
    get url() {
      return ready(url)
    },
    get database() {
      return ready(database)
    },
    get admin() {
      return ready(admin)
    },
    async client() {
      const client = await textClient(ready(url))
      clients.push(client)
      return client
    },
  }
}

function ready<T>(value: T | undefined): T {
  if (value === undefined || value === '') throw new Error('the test database exists in tests and hooks only')
  return value
}

async function maintain(statement: string): Promise<void> {
  const client = await textClient(inject('serverUrl'))
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** What is connected once those that were closed a moment ago are really gone. */
async function openConnections(name: string): Promise<readonly string[]> {
  const client = await textClient(inject('serverUrl'))
  let found: readonly string[] = []
  const look = async () => {
    const { rows } = await client.query<Record<'who', string>>(
      `select format('%s pid %s %s: %s', application_name, pid, state, query) as who
       from pg_stat_activity
       where datname = $1 and backend_type = 'client backend'`,
      [name],
    )
    found = rows.map((row) => row.who)
    return found.length === 0
  }
  try {
    await until(look, { withinMs: 3_000, what: '' }).catch(() => undefined)
    return found
  } finally {
    await client.end()
  }
}
