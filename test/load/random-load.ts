import type pg from 'pg'
import { Ledger } from '../../src/demo/ledger.js'
import { textClient } from '../support/text-client.js'
import type { LoadTable } from './load-table.js'
import { Random } from './random.js'
import { foreignBlame, type Refusal, refusalOf } from './refusal.js'
import { Writer } from './writer.js'

export interface LoadOptions {
  /** URL as the application's role. */
  readonly url: string
  readonly tables: readonly LoadTable[]
  readonly seed: number
  /** @default 2 */
  readonly writers?: number
}

/** What the writers saw since the last look. */
export interface Seen {
  readonly transactions: number
  readonly statements: number
  /** In milliseconds, per statement. */
  readonly p50: number
  readonly max: number
}

/** Writers at random that run until they are stopped, with one ledger. */
export interface RandomLoad {
  readonly ledger: Ledger
  /** SQLSTATE -> the errors that came with it, the first ones of each. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>
  /** Errors in which something of ours is named, or a deadlock with a session that is none of the writers'. */
  readonly blamesUs: readonly Refusal[]
  /** Takes what was seen since the last call. */
  readonly look: () => Seen
  /** Resolves once so many more transactions have ended. */
  readonly more: (transactions: number) => Promise<void>
  /** Lets each writer end its transaction, and throws where one failed by itself. */
  readonly stop: () => Promise<void>
}

/** Makes what a load needs in the database: the tickets, and the application's role `load_app` with ordinary rights. */
export async function prepareLoad(admin: pg.Client, url: string): Promise<string> {
  await admin.query(`
    do $$ begin
      if not exists (select from pg_roles where rolname = 'load_app') then
        create role load_app login password 'load';
        -- Deadlocks of the application's own making shall not take a second each.
        alter role load_app set deadlock_timeout = '50ms';
      end if;
    end $$;
    create schema load;
    create sequence load.ticket;
    grant usage on schema load, public to load_app;
    grant usage on sequence load.ticket to load_app;
    grant select, insert, update, delete on all tables in schema public to load_app;
    grant usage on all sequences in schema public to load_app`)
  const own = new URL(url)
  own.username = 'load_app'
  own.password = 'load'
  return own.href
}

/** Starts the writers. */
export async function startLoad({ url, tables, seed, writers = 2 }: LoadOptions): Promise<RandomLoad> {
  const clients = await Promise.all(
    Array.from({ length: writers }, (_, n) => textClient(url, { application_name: `load ${n + 1}` })),
  )
  const pids = new Set(
    clients.map((client) => String((client as unknown as { processID: number }).processID)),
  )
  const ledger = new Ledger()
  const refusals = new Map<string, Refusal[]>()
  const blamesUs: Refusal[] = []
  let latencies: number[] = []
  let transactions = 0
  let statements = 0
  let waiting: { readonly at: number; readonly resolve: () => void }[] = []
  let total = 0
  let stopped = false
  const done = () => {
    total += 1
    transactions += 1
    for (const { resolve } of waiting.filter(({ at }) => total >= at)) resolve()
    waiting = waiting.filter(({ at }) => total < at)
  }
  const running = clients.map((client, n) =>
    new Writer(client, tables, ledger, new Random(seed * 31 + n), {
      statement: (ms) => {
        statements += 1
        latencies.push(ms)
      },
      refused: (error) => {
        const refusal = refusalOf(error)
        const seen = refusals.get(refusal.sqlstate) ?? []
        if (seen.length < 5) refusals.set(refusal.sqlstate, [...seen, refusal])
        if (foreignBlame(refusal, pids)) blamesUs.push(refusal)
      },
      done,
    }).run(() => stopped),
  )
  const ended = Promise.all(running)
  // Whoever waits for more transactions must hear of a writer that died.
  const died = ended.then(() => new Promise<never>(() => {}))
  died.catch(() => undefined)
  return {
    ledger,
    refusals,
    blamesUs,
    look: () => {
      const sorted = latencies.sort((a, b) => a - b)
      const seen = { transactions, statements, p50: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 }
      latencies = []
      transactions = 0
      statements = 0
      return seen
    },
    more: (count) =>
      Promise.race([died, new Promise<void>((resolve) => waiting.push({ at: total + count, resolve }))]),
    stop: async () => {
      stopped = true
      try {
        await ended
      } finally {
        await Promise.all(clients.map((client) => client.end()))
      }
    },
  }
}
