import type { Knex } from 'knex'
import { sqlstateOf } from '../db/index.js'
import { EventwardError, StoppedError } from '../errors/index.js'
import { connectionOf } from '../runtime/index.js'
import type { Query } from '../sql/index.js'
import { finishRun, openRun } from '../store/index.js'
import type { Projection } from './define-projection.js'

/**
 * Does `work` and leaves a receipt of it (`eventward runs`): opened before, closed with what it came to, or why it didn't.
 * A role that may not write receipts works without one.
 */
export async function withReceipt<Result>(
  knex: Knex,
  { name, schema, version, mode }: Projection,
  {
    work,
    outcome,
  }: {
    /** Is given the receipt's id, null without one. */
    readonly work: (run: string | null) => Promise<Result>
    readonly outcome: (result: Result) => Readonly<Record<string, unknown>>
  },
): Promise<Result> {
  const opened = await permitted(knex, (statements) =>
    openRun(statements, {
      command: 'replay',
      schema,
      table: name,
      aggregateType: null,
      definitionHash: null,
      params: { version, mode },
      upperKey: null,
    }),
  )
  if (opened === null) return work(null)
  const { id } = opened
  try {
    const result = await work(id)
    await permitted(knex, (statements) => finishRun(statements, id, 'complete', outcome(result)))
    return result
  } catch (error) {
    const state = error instanceof StoppedError ? 'stopped' : 'failed'
    const code = error instanceof EventwardError ? { code: error.code } : {}
    const message = error instanceof Error ? error.message : String(error)
    // What is told is why it failed, and not that this couldn't be written down as well.
    await permitted(knex, (statements) =>
      finishRun(statements, id, state, { ...code, error: message }),
    ).catch(() => undefined)
    throw error
  }
}

type Statements = Parameters<typeof openRun>[0] & Parameters<typeof finishRun>[0]

/** No right on them; no such table or schema, of which the work tells better what to do. */
const NO_RECEIPTS: ReadonlySet<string> = new Set(['42501', '42P01', '3F000'])

/** In a transaction of its own; null where there are no receipts for this role. */
async function permitted<Result>(
  knex: Knex,
  write: (statements: Statements) => Promise<Result>,
): Promise<Result | null> {
  try {
    return await knex.transaction(async (trx) => {
      const connection = await connectionOf(trx)
      const run = async (query: Query) => (await connection.run([query]))[0]
      return write({
        // The statement gives one row.
        one: async (query) => ((await run(query))?.rows[0] ?? {}) as never,
        execute: async (query) => (await run(query))?.count ?? 0,
      })
    })
  } catch (error) {
    if (NO_RECEIPTS.has(sqlstateOf(error) ?? '')) return null
    throw error
  }
}
