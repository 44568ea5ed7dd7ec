import type { Write } from '../ledger.js'
import { type Application, ROW } from './application.js'
import type { Keys } from './keys.js'

/** What became of one piece of work. */
export interface Done {
  readonly writes: readonly Write[]
  readonly end: 'committed' | 'rolled back'
}

/** One piece of what an application does with its table; throws what the server refuses. */
export type Work = () => Promise<Done>

/**
 * What the application's old code does, by name, in plain SQL. Statements on their own meet those of other writers on
 * keys that all share; transactions of several keep to keys of their own, so that none of it fails by itself.
 */
export function plainWork(app: Application, keys: Keys): Readonly<Record<string, Work>> {
  const one = async (text: string, values: readonly unknown[]): Promise<Done> => ({
    writes: await app.write(text, values),
    end: 'committed',
  })
  return {
    create: () => one(CREATE, keys.newRow()),
    activate: () => one(ACTIVATE, [keys.token('sub'), keys.any()]),
    deactivate: () => one(DEACTIVATE, [keys.any()]),
    'change payment': () => one(CHANGE_PAYMENT, [keys.token('pm'), keys.any()]),
    upsert: () => one(UPSERT, [keys.shared(), ...keys.newRow().slice(1)]),
    remove: () => one(`delete from subscriptions where id = ? returning ${ROW}`, [keys.any()]),
    'several rows': () =>
      one(`update subscriptions set reward_id = reward_id + 1 where id in (?, ?, ?) returning ${ROW}`, [
        keys.own(),
        keys.own(),
        keys.own(),
      ]),
    'change key': async () => {
      const old = keys.own()
      const { writes, end } = await one(CHANGE_KEY, [keys.fresh(), old])
      return {
        end,
        writes: [...writes.map((write) => ({ ...write, key: String(old), row: null })), ...writes],
      }
    },
    // Row 12 of the slide is there, so this is refused: an application knows how to live with that.
    duplicate: () => one(CREATE, [12, ...keys.newRow().slice(1)]),
    transaction: () => severalStatements(app, keys),
  }
}

/** Savepoint, roll back to it, and now and then the whole of it. */
function severalStatements(app: Application, keys: Keys): Promise<Done> {
  const isolation = keys.chance(0.5) ? 'repeatable read' : 'read committed'
  return app
    .transaction(isolation, async ({ write, run }) => {
      const row = keys.newRow()
      const [id] = row
      const writes = [
        ...(await write(CREATE, row)),
        ...(await write(CHANGE_PAYMENT, ['pm_first', keys.own()])),
      ]
      await run('savepoint before')
      await write(CHANGE_PAYMENT, ['pm_mistaken', id])
      await run('rollback to savepoint before')
      writes.push(...(await write(ACTIVATE, [keys.token('sub'), id])))
      if (keys.chance(0.2)) throw new RolledBack()
      return { writes, end: 'committed' as const }
    })
    .catch((error: unknown) => {
      if (error instanceof RolledBack) return { writes: [], end: 'rolled back' as const }
      throw error
    })
}

/** The application changes its mind. */
class RolledBack extends Error {}

const COLUMNS = '(id, user_id, reward_id, payment_source_key, status, stripe_key, created_at)'
const VALUES = `values (?, ?, ?, ?, 'unpaid', null, clock_timestamp())`
const CREATE = `insert into subscriptions ${COLUMNS} ${VALUES} returning ${ROW}`
const UPSERT = `insert into subscriptions ${COLUMNS} ${VALUES}
  on conflict (id) do update set user_id = excluded.user_id, payment_source_key = excluded.payment_source_key
  returning ${ROW}`
const ACTIVATE = `update subscriptions set status = 'active', stripe_key = ?, activated_at = clock_timestamp()
  where id = ? returning ${ROW}`
const DEACTIVATE = `update subscriptions set status = 'inactive', deactivated_at = clock_timestamp()
  where id = ? and status = 'active' returning ${ROW}`
const CHANGE_KEY = `update subscriptions set id = ? where id = ? returning ${ROW}`
const CHANGE_PAYMENT = `update subscriptions set payment_source_key = ? where id = ? returning ${ROW}`
