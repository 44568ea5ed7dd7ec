import { type Session, sqlstateOf } from '../db/index.js'
import { EventwardError, GateError, shellWord } from '../errors/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { lockDefinition, refusePendingRestart } from '../store/index.js'
import { readTableState, verifyMoved } from './table-state.js'
import type { VerifyRun } from './verify.js'

/** A repair that is about to begin. */
export interface RepairJob {
  readonly run: VerifyRun
  /** The column that is set to itself. */
  readonly touched: string
  readonly limits: RepairLimits
}

/** Bounds of a repair's transaction, in ms: whoever waits for it finds no deadlock before it has given up. */
export interface RepairLimits {
  readonly lockMs: number
  readonly statementMs: number
  readonly idleMs: number
}

const LOCK_MS = 100

/** Shares of the server's deadlock timeout: one wait for a lock and one statement with triggers fit into it. */
export async function readRepairLimits(session: Session): Promise<RepairLimits> {
  const { ms } = await session.one<{ ms: string }>(sql`
    select setting as ms
    from pg_settings
    where name = 'deadlock_timeout'`)
  const deadlock = Math.max(Number(ms), 50)
  return {
    lockMs: Math.min(LOCK_MS, deadlock * 0.1),
    statementMs: deadlock * 0.7,
    idleMs: Math.max(100, deadlock * 0.7),
  }
}

/**
 * Runs `work` in a READ COMMITTED transaction that holds the definition (shared) and a lock on the legacy table, which
 * is the one that was bound; nothing in it waits longer than the limits.
 *
 * @throws GateError EW_VERIFY_MOVED, EW_RUN_DEFINITION; UsageError EW_RESTART_PENDING
 */
export function repairTransaction<T>(
  session: Session,
  { run, limits }: RepairJob,
  mode: 'row exclusive' | 'share row exclusive',
  work: () => Promise<T>,
): Promise<T> {
  const { model, state } = run.source
  const bounds = { lockTimeoutMs: limits.lockMs, statementTimeoutMs: limits.statementMs }
  return session.transaction(bounds, async () => {
    await session.execute({
      text: `set local idle_in_transaction_session_timeout = ${Math.ceil(limits.idleMs)}`,
      values: [],
    })
    await lockDefinition(session, model, 'shared')
    await refuseOtherDefinition(session, run)
    await session.execute(sql`lock table ${raw(qualified(model.schema, model.table))} in ${raw(mode)} mode`)
    if ((await readTableState(session, model)) !== state)
      throw verifyMoved(run.table, 'DDL has changed it, or written it anew, or that was adopted,')
    return work()
  })
}

/** Another transaction was in the way: it may be tried again. */
export function isInTheWay(error: unknown): boolean {
  if (error instanceof EventwardError && error.code === 'EW_VERSION_TAKEN') return true
  return IN_THE_WAY.has(sqlstateOf(error) ?? '')
}

/** A lock not got in time, a statement that took too long, a deadlock, a serialization failure. */
const IN_THE_WAY = new Set(['55P03', '57014', '40P01', '40001'])

async function refuseOtherDefinition(session: Session, { source, table }: VerifyRun): Promise<void> {
  const [installed] = await session.rows<{ hash: string }>(sql`
    select hash
    from eventward.aggregates
    where aggregate_type = ${source.model.name}::text`)
  await refusePendingRestart(session, source.model)
  if (installed?.hash === source.model.hash) return
  throw new GateError('EW_RUN_DEFINITION', `${table}: another definition was installed during the repair`, {
    next: `Run \`eventward verify ${shellWord(table)} --repair\` again, with the definition that is meant.`,
    details: { table },
  })
}
