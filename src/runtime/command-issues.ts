import type { Knex } from 'knex'
import type { StandardIssue } from '../definition/index.js'
import { EventwardError } from '../errors/index.js'
import { lookAtAll, seenOf } from './call-command.js'
import { connectionOf } from './caller-connection.js'
import { validAttributes } from './command-input.js'
import type { CommandPlan } from './command-plan.js'
import { heldByCaller } from './own-transaction.js'

/** What is wrong with a command: with one of its attributes (`path`), or with doing it now (none). */
export type Issue = StandardIssue

/** What `call` would refuse; empty where it would be done, or would be a no-op. Writes nothing. */
export async function commandIssues(
  plan: CommandPlan,
  input: unknown,
  knex?: Knex | Knex.Transaction,
): Promise<readonly Issue[]> {
  try {
    const { keys, rest } = plan.split(input)
    const attributes = await validAttributes(plan.attributes, rest, plan.named)
    if (knex === undefined) return []
    return await looking(knex, async (trx) => {
      const connection = await connectionOf(trx)
      const held = heldByCaller(trx, connection)
      const ground = { knex: trx, held, connection, own: false, prelude: [] }
      const looked = await lookAtAll({ plan, keys, options: { expectedVersions: {} } }, ground)
      const objection = await plan.validate(
        seenOf(looked, () => trx),
        attributes,
      )
      return typeof objection === 'string' && objection !== '' ? [{ message: objection }] : []
    })
  } catch (error) {
    return issuesOf(error)
  }
}

/** In a transaction of its own, or a savepoint of the caller's: rolled back, it lets go of its row locks. */
async function looking(
  knex: Knex | Knex.Transaction,
  look: (trx: Knex.Transaction) => Promise<readonly Issue[]>,
): Promise<readonly Issue[]> {
  const trx = await knex.transaction()
  try {
    return await look(trx)
  } finally {
    await trx.rollback()
  }
}

function issuesOf(error: unknown): readonly Issue[] {
  if (!(error instanceof EventwardError)) throw error
  if (error.code === 'EW_COMMAND_INVALID') return error.details['issues'] as readonly Issue[]
  if (error.code === 'EW_COMMAND_GONE') return [{ message: error.message }]
  throw error
}
