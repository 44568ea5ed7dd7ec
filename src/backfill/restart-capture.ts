import { setTimeout as sleep } from 'node:timers/promises'
import { captureOff, captureOn } from '../capture/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { DatabaseError, StoppedError, shellWord, UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { RESTART, readCapture } from '../store/index.js'
import type { BackfillOptions } from './backfill-result.js'

/**
 * Whether the table is captured now, for a restart that is about to begin.
 *
 * @throws UsageError EW_PHASE where its events are its truth: they can't be written anew from rows.
 */
export async function isCaptured(session: Session, definition: AggregateDefinition): Promise<boolean> {
  const capture = await readCapture(session, definition.name)
  if (capture?.state !== 'on') return false
  if (capture.phase === 'dual_write') return true
  const table = tableName(definition.table)
  throw new UsageError(
    'EW_PHASE',
    `${table} is ${capture.phase}: its events are its truth, and can't be written anew from its rows`,
    {
      next:
        capture.phase === 'event_first'
          ? `Run \`eventward cutover ${shellWord(table)} rollback\` first.`
          : 'There is no way back from complete.',
      details: { table, phase: capture.phase },
    },
  )
}

/**
 * Turns capture off for a restart, and waits until whoever has a snapshot from before has ended: they may yet write into,
 * or read from, the events that are about to be archived.
 */
export async function turnOffForRestart(
  database: Database,
  definition: AggregateDefinition,
  options: BackfillOptions,
): Promise<void> {
  const { signal, events } = options
  await captureOff(database, definition, {
    ...(signal === undefined ? {} : { signal }),
    ...(events === undefined ? {} : { events }),
  })
  await database.session((session) => waitForOlder(session, definition, options))
}

/**
 * Turns capture on again where a restart has turned it off and no one has touched it since. Asked by every backfill: the
 * restart may have been killed after the archive was made.
 */
export async function turnOnAgain(
  database: Database,
  definition: AggregateDefinition,
  { signal, events }: BackfillOptions,
): Promise<void> {
  const owed = await database.session((session) => owesCapture(session, definition, ['complete']))
  if (!owed) return
  await captureOn(database, definition, {
    ...(signal === undefined ? {} : { signal }),
    ...(events === undefined ? {} : { events }),
  })
}

/** What the outcome of a restart keeps, so that capture is turned on again by whoever comes next. */
export async function captureOwed(
  session: Session,
  definition: AggregateDefinition,
  captured: boolean,
): Promise<string | null> {
  return captured ? ((await readCapture(session, definition.name))?.epoch ?? null) : null
}

/** Whether the last restart left capture off. By the epoch: had anyone turned it on or off since, it would be another one. */
export async function owesCapture(
  session: Session,
  { name, table }: AggregateDefinition,
  states: readonly ('complete' | 'failed')[],
): Promise<boolean> {
  const { installed } = await session.one<{ installed: string }>(sql`
    select to_regclass('eventward.captures') is not null as installed`)
  if (installed !== 't') return false
  const { owed } = await session.one<{ owed: string }>(sql`
    select exists (
      select
      from (
        select state, outcome
        from eventward.runs
        where command = ${RESTART}::text
          and table_schema = ${table.schema}::text
          and table_name = ${table.name}::text
        order by id desc
        limit 1
      ) r
      join eventward.captures c on c.aggregate_type = ${name}::text
      where r.state = any (${states}::text[])
        and r.outcome ->> 'captureOwed' = c.epoch::text
        and c.state = 'off'
    ) as owed`)
  return owed === 't'
}

const LOOK_MS = 50

/** Those that were in a transaction when asked; each holds a lock on its own virtual id, which everyone may see. */
async function waitForOlder(
  session: Session,
  definition: AggregateDefinition,
  { signal, patienceMs = 60_000 }: BackfillOptions,
): Promise<void> {
  const table = tableName(definition.table)
  const { ids } = await session.one<{ ids: string }>(sql`
    select coalesce(to_jsonb(array_agg(l.virtualtransaction)), '[]') as ids
    from pg_locks l
    left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid'
      and l.granted
      and l.mode = 'ExclusiveLock'
      and l.pid <> pg_backend_pid()
      -- Without a snapshot or an id there is nothing old about it. Both are null as well where we may not look.
      and (a.backend_xmin is not null or a.backend_xid is not null or a.backend_type is null)
      and (a.datname is null or a.datname = current_database())`)
  const end = performance.now() + patienceMs
  for (;;) {
    const left = await session.rows<{ who: string }>(sql`
      select format('pid %s (%s)', l.pid, coalesce(nullif(a.application_name, ''), a.usename, '?')) as who
      from pg_locks l
      left join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'virtualxid'
        and l.granted
        and l.mode = 'ExclusiveLock'
        and l.virtualtransaction = any (array(select jsonb_array_elements_text(${ids}::jsonb)))`)
    if (left.length === 0) return
    const next = `Run \`eventward backfill ${shellWord(table)} --restart --confirm ${shellWord(table)}\` again: it goes on from there.`
    if (signal?.aborted === true) {
      throw new StoppedError('EW_STOPPED', `${table}: the restart was stopped; capture is off meanwhile`, {
        next,
        details: { table },
      })
    }
    if (performance.now() > end) {
      const who = left.map((one) => one.who).join(', ')
      throw new DatabaseError(
        'EW_RESTART_OLDER',
        `${table}: ${who} ${left.length === 1 ? 'is' : 'are'} in a transaction from before capture was turned off`,
        { next: `Once that has ended: ${next}`, details: { table } },
      )
    }
    await sleep(LOOK_MS)
  }
}
