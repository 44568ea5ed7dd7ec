import type { Knex } from 'knex'
import type { CallerConnection } from './caller-connection.js'
import type { Binding } from './command-binding.js'
import {
  type Compiled,
  type KnexBuilder,
  type KnexClient,
  plainRunner,
  type Response,
} from './knex-internals.js'
import { keyArray } from './shim-images.js'

type Copy = KnexBuilder & Knex.QueryBuilder
const KEY = 'eventward_key'
const INSERTED = 'eventward_inserted'

/** A builder's copy, to be changed: it keeps what its clone leaves out. */
export function copyOf(builder: KnexBuilder): Copy {
  const copy = builder.clone()
  copy._events = builder._events
  copy._timeout = builder._timeout
  copy._cancelOnTimeout = builder._cancelOnTimeout
  return copy
}

/** Locks the rows that a builder would find, gives their keys. */
export async function lockRows(
  connection: CallerConnection,
  binding: Binding,
  found: Copy,
  mode: 'for update' | 'for no key update',
): Promise<readonly string[]> {
  const { update: _, insert: __, returning: ___, ...single } = { ...found._single } as Record<string, unknown>
  found._method = 'select'
  // PostgreSQL's UPDATE and DELETE take no limit: knex leaves it out, and so must this.
  found._single = { ...single, limit: undefined, offset: undefined, lock: undefined } as never
  found.clearSelect().select(found.client.raw(`${keyArray(binding)} as ${KEY}`))
  const { sql, bindings } = (found as Knex.QueryBuilder).toSQL().toNative()
  const rows = await connection.ask(`${sql} ${mode}`, bindings)
  return rows.map((row) => row[KEY] ?? '[]')
}

/** The builder, held to these rows: others that would fit by now were not locked, and are not seen. */
export function heldTo(binding: Binding, builder: Copy, keys: readonly string[]): Copy {
  // Its own conditions as one: an `or` among them would let others in.
  const statements = builder._statements ?? []
  const wheres = statements.filter(({ grouping }) => grouping === 'where')
  builder._statements = statements.filter(({ grouping }) => grouping !== 'where')
  builder.where(builder.client.raw(`${keyArray(binding)} = any (?::pg_catalog.jsonb[])`, [keys]))
  if (wheres.length > 0) {
    builder.where((group) => {
      const grouped = group as unknown as KnexBuilder
      grouped._statements = wheres
    })
  }
  return builder
}

export interface Ran {
  /** What the application gets. */
  readonly result: unknown
  /** The keys of the rows that were written, in the order of writing. */
  readonly keys: readonly { readonly key: string; readonly inserted: boolean }[]
}

/**
 * Runs a builder as knex would, and learns from its RETURNING, which the application doesn't see, which rows it wrote.
 *
 * @param tell whether `inserted` is asked for: where an insert may update instead
 */
export async function runReturning(
  client: KnexClient,
  binding: Binding,
  builder: KnexBuilder,
  tell = false,
): Promise<Ran> {
  const keys: { key: string; inserted: boolean }[] = []
  const runner = plainRunner(client, builder)
  const query = runner.query.bind(runner)
  runner.query = (compiled: Compiled) => {
    if (compiled.sql === '') return query(compiled)
    const { returning } = compiled
    const ours = [
      `${keyArray(binding)}::pg_catalog.text as ${KEY}`,
      // Of a row that was updated in place it is this transaction's.
      ...(tell ? [`(xmax operator(pg_catalog.=) 0)::pg_catalog.text as ${INSERTED}`] : []),
    ].join(', ')
    compiled.sql += returning ? `, ${ours}` : ` returning ${ours}`
    compiled.output = (response: Response) => {
      for (const row of response.rows) {
        keys.push({ key: String(row[KEY]), inserted: row[INSERTED] === 'true' || row[INSERTED] === 't' })
        delete row[KEY]
        delete row[INSERTED]
      }
      if (!returning) response.rows = []
      response.fields = response.fields.filter((field) => !OURS.has((field as { name: string }).name))
      return client.processResponse({ ...compiled, output: undefined, response }, runner)
    }
    return query(compiled)
  }
  return { result: await runner.run(), keys }
}

const OURS: ReadonlySet<string> = new Set([KEY, INSERTED])
