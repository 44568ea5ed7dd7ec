import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import {
  type Capture,
  lockDefinition,
  readCapture,
  requireEventsTable,
  withTableLock,
  writeCaptureOff,
} from '../store/index.js'
import { lockOptions } from './capture-on.js'
import type { CaptureOptions, CaptureResult } from './capture-result.js'

/**
 * Turns capture off: the table is `legacy` again, its events are kept. Withdraws "backfill complete" and the proof: what
 * is written from now on has no events. Does nothing where it's off already.
 *
 * Takes ACCESS EXCLUSIVE on the table for some ms, in short tries: dropping a trigger needs it, and it waits out a
 * backfill's slice, which would else report rows as done that were written past it.
 *
 * @throws UsageError EW_PHASE where the table's events are its truth, EW_NOT_MIGRATED; DatabaseError EW_LOCK_BUSY,
 * EW_BUSY.
 */
export async function captureOff(
  database: Database,
  definition: AggregateDefinition,
  options: CaptureOptions = {},
): Promise<CaptureResult> {
  return database.session(async (session) => {
    await requireEventsTable(session, options.events)
    const table = tableName(definition.table)
    const was = await readCapture(session, definition.name)
    if (was === null || was.state === 'off') return resultOf(table, was, 'none', null)
    refusePhase(table, was)
    const relation = await presentName(session, was.relid)
    const remove = async () => {
      const now = await readCapture(session, definition.name)
      if (now === null || now.state === 'off') return
      refusePhase(table, now)
      await session.execute(sql`select eventward.remove_triggers(${definition.name}::text)`)
      await writeCaptureOff(session, definition.name)
    }
    const before = () =>
      lockDefinition(session, { name: definition.name, schema: was.schema, table: was.table }, 'exclusive')
    const locked =
      relation === null
        ? await withoutTable(session, async () => {
            await before()
            await remove()
          })
        : await withTableLock(
            session,
            { ...relation, mode: 'access exclusive', ...lockOptions(options), before },
            remove,
          )
    return resultOf(table, await readCapture(session, definition.name), 'removed', locked)
  })
}

/** The table may have been renamed since; null where it was dropped. */
async function presentName(
  session: Session,
  relid: string,
): Promise<{ readonly schema: string; readonly table: string } | null> {
  const [found] = await session.rows<{ schema: string; table: string }>(sql`
    select n.nspname::text as schema, c.relname::text as table
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = ${relid}::oid`)
  return found ?? null
}

async function withoutTable(session: Session, work: () => Promise<void>): Promise<null> {
  await session.transaction({}, work)
  return null
}

function refusePhase(table: string, { phase }: Capture): void {
  if (phase === 'dual_write') return
  throw new UsageError('EW_PHASE', `${table} is ${phase}: capture can't be turned off; nothing was changed`, {
    next:
      phase === 'event_first'
        ? `Run \`eventward cutover ${shellWord(table)} rollback\` first.`
        : 'Its way back was closed on purpose: rows are a projection of its events now.',
    details: { table, phase },
  })
}

function resultOf(
  table: string,
  now: Capture | null,
  change: CaptureResult['change'],
  locked: { readonly attempts: number; readonly waitedMs: number; readonly lockedMs: number } | null,
): CaptureResult {
  return {
    table,
    capture: 'off',
    phase: 'legacy',
    change,
    epoch: now?.epoch ?? '0',
    since: now?.since ?? null,
    attempts: locked?.attempts ?? 0,
    waitedMs: locked?.waitedMs ?? null,
    lockedMs: locked?.lockedMs ?? null,
    notices:
      change === 'removed'
        ? [
            `${table}: what is written from now on has no events. Once captured again: backfill, then \`eventward verify ${shellWord(table)} --repair\``,
          ]
        : [],
  }
}
