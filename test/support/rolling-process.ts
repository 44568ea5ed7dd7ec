/**
 * A process of one release, beside one of another: `node rolling-process.js URL old|new`. Gives events to accounts 1 to 5
 * until the table `public.rolling` says to stop, then looks back at each and prints what it made of them as JSON.
 */
import createKnex, { type Knex } from 'knex'
import { eventsOf, repositoryOf } from '../../src/runtime/index.js'
import { NewAccount, OldAccount } from './rolling-account.js'

export interface RollingReport {
  readonly commands: number
  /** Types and versions that it met in histories. */
  readonly met: readonly string[]
  /** Streams whose row isn't what their events give, by this code. */
  readonly wrong: readonly string[]
}

const [, , connection = '', release] = process.argv
const knex = createKnex({ client: 'pg', connection, pool: { min: 0, max: 2 } })
try {
  process.stdout.write(JSON.stringify(await (release === 'old' ? old() : fresh())))
} finally {
  await knex.destroy()
}

async function old(): Promise<RollingReport> {
  const { BalanceSet } = eventsOf(OldAccount)
  const commands = await untilStopped((id, n) =>
    BalanceSet.create(knex, { id, amount: n + 0.25 }, { retries: 20, metadata: { release: 'old' } }),
  )
  return { commands, ...(await lookBack(repositoryOf(OldAccount))) }
}

async function fresh(): Promise<RollingReport> {
  const { BalanceSet, Audited } = eventsOf(NewAccount)
  const options = { retries: 20, metadata: { release: 'new' } }
  const commands = await untilStopped((id, n) =>
    n % 3 === 0
      ? Audited.create(knex, { id, updated_by: `audit ${n}` }, options)
      : BalanceSet.create(knex, { id, sum: n + 0.5, why: 'a sale' }, options),
  )
  return { commands, ...(await lookBack(repositoryOf(NewAccount))) }
}

async function untilStopped(command: (id: number, n: number) => Promise<unknown>): Promise<number> {
  for (let n = 1; ; n += 1) {
    await command((n % 5) + 1, n)
    const stopped: unknown = await knex('public.rolling').first()
    if (stopped !== undefined) return n
  }
}

/** In one snapshot each, since the other process may still be writing. */
async function lookBack(
  repository:
    | Pick<ReturnType<typeof repositoryOf<typeof OldAccount>>, 'get' | 'history' | 'at'>
    | Pick<ReturnType<typeof repositoryOf<typeof NewAccount>>, 'get' | 'history' | 'at'>,
): Promise<Pick<RollingReport, 'met' | 'wrong'>> {
  const met = new Set<string>()
  const wrong: string[] = []
  for (const id of [1, 2, 3, 4, 5]) {
    await knex.transaction(
      async (trx: Knex.Transaction) => {
        const row = await repository.get(trx, { id })
        const events = await repository.history(trx, { id })
        for (const { stored } of events) met.add(`${stored.type}@${stored.schemaVersion}`)
        const folded = await repository.at(trx, { id }, events.at(-1)?.version ?? 0)
        if (JSON.stringify(folded) !== JSON.stringify(row))
          wrong.push(`${id}: ${JSON.stringify([folded, row])}`)
      },
      { isolationLevel: 'repeatable read' },
    )
  }
  return { met: [...met].sort(), wrong }
}
