import { captureStatus } from '../capture/index.js'
import type { Session } from '../db/index.js'
import { literal, qualified, raw, sql } from '../sql/index.js'
import { outlastHidden } from './hidden-transactions.js'
import type { Captured, Cutover } from './open-cutover.js'
import { shownAge } from './shown-age.js'

/** Everything that the gate looks at, as it was read. */
export interface GateFacts {
  readonly table: string
  /** The hash of the configuration's definition, and the one that is installed. */
  readonly hash: string
  readonly installedHash: string | null
  readonly captured: Captured | null
  /** What keeps capture from being whole. */
  readonly problems: readonly { readonly what: string; readonly next: string }[]
  /** The last events were written by a shim, without triggers. */
  readonly shimAlone: boolean
  readonly backfill: LastBackfill | null
  readonly verify: LastVerify | null
  readonly freshnessSeconds: number
  readonly fingerprint: string | null
  readonly openDifferences: string
  readonly incomplete: { readonly count: string; readonly reason: string | null }
  readonly older: readonly OlderTransaction[]
  /** Sessions in a transaction whose beginning this role may not see, and that didn't end while we looked. */
  readonly hidden: readonly string[]
  readonly rehearsal: Rehearsal | null
}

export interface LastBackfill {
  readonly run: string
  readonly complete: boolean
  /** The epoch of the capture beside which it ran; null where there was none. */
  readonly epoch: string | null
  readonly definitionHash: string
  readonly chunks: string
}

export interface LastVerify {
  readonly run: string
  readonly clean: boolean
  readonly differences: string
  /** It began after the last backfill had ended. */
  readonly afterBackfill: boolean
}

export interface OlderTransaction {
  readonly who: string
  /** Null for a prepared one. */
  readonly pid: string | null
  readonly gid: string | null
}

export interface Rehearsal {
  readonly run: string
  readonly ok: boolean
  readonly lockedMs: number
  readonly at: string
}

/** Reads what the gate looks at. Takes no lock but ACCESS SHARE on the bookkeeping. */
export async function readFacts(
  session: Session,
  cutover: Cutover,
  captured: Captured | null,
  freshnessSeconds: number,
): Promise<GateFacts> {
  const { table, definition, set } = cutover
  const { schema, name } = definition.table
  const on = captured?.on === true
  return {
    table,
    hash: set.model.hash,
    captured,
    freshnessSeconds,
    ...(await readOwn(session, definition.name, on ? captured.relid : null)),
    problems: on ? await readProblems(session, cutover) : [],
    shimAlone: on ? false : await writtenByShim(session, cutover),
    backfill: await readBackfill(session, schema, name),
    verify: await readVerify(session, schema, name),
    older: on && captured.since !== null ? await readOlder(session, captured.since) : [],
    hidden: on ? await outlastHidden(session) : [],
    rehearsal: await readRehearsal(session, schema, name, captured?.since ?? null),
  }
}

async function readOwn(session: Session, aggregateType: string, relid: string | null) {
  const row = await session.one<Record<string, string | null>>(sql`
    select
      (select hash from eventward.aggregates where aggregate_type = ${aggregateType}::text) as installed,
      (
        select count(*)
        from eventward.mismatches
        where aggregate_type = ${aggregateType}::text
          and resolved_at is null
      ) as open,
      (
        select count(*)
        from eventward.incomplete
        where aggregate_type = ${aggregateType}::text
          and resolved_at is null
      ) as incomplete,
      (
        select reason
        from eventward.incomplete
        where aggregate_type = ${aggregateType}::text
          and resolved_at is null
        order by id desc
        limit 1
      ) as reason,
      case when ${relid}::oid is not null then eventward.fingerprint(${relid}::oid) end as fingerprint`)
  return {
    installedHash: row['installed'] ?? null,
    openDifferences: row['open']!,
    incomplete: { count: row['incomplete']!, reason: row['reason'] ?? null },
    fingerprint: row['fingerprint'] ?? null,
  }
}

/** Those by which a write may pass unseen; the milder ones make it slower. */
async function readProblems(session: Session, { definition }: Cutover): Promise<GateFacts['problems']> {
  const { problems } = await captureStatus(session, definition)
  return problems.filter(({ broken }) => broken)
}

/** Asked of the last event alone: a search for one among millions would be a scan. */
async function writtenByShim(session: Session, { definition, events }: Cutover): Promise<boolean> {
  const [last] = await session.rows<{ shim: string | null }>(sql`
    select e.metadata ->> 'source' = 'shim' as shim
    from ${raw(qualified(events.schema, events.table))} e
    where e.aggregate_type = ${raw(literal(definition.name))}
    order by e.position desc
    limit 1`)
  return last?.shim === 't'
}

async function readBackfill(session: Session, schema: string, table: string): Promise<LastBackfill | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select r.id, r.state, r.params ->> 'capture' as epoch, coalesce(r.definition_hash, '') as hash,
      (select count(*) from eventward.chunks c where c.run_id = r.id) as chunks
    from eventward.runs r
    where r.command = 'backfill'
      and r.table_schema = ${schema}::text
      and r.table_name = ${table}::text
    order by r.id desc
    limit 1`)
  if (row === undefined) return null
  return {
    run: row['id']!,
    complete: row['state'] === 'complete',
    epoch: row['epoch'] ?? null,
    definitionHash: row['hash']!,
    chunks: row['chunks']!,
  }
}

/** The full verify that ended last, whatever came of it: a failed one is not forgotten for an earlier clean one. */
async function readVerify(session: Session, schema: string, table: string): Promise<LastVerify | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select v.id, coalesce(v.outcome ->> 'result' = 'clean', false) as clean,
      coalesce(v.outcome ->> 'differences', '0') as differences,
      v.started_at >= coalesce((
        select max(b.finished_at)
        from eventward.runs b
        where b.command = 'backfill'
          and b.table_schema = ${schema}::text
          and b.table_name = ${table}::text
      ), '-infinity') as after
    from eventward.runs v
    where v.command = 'verify'
      and v.table_schema = ${schema}::text
      and v.table_name = ${table}::text
      and v.state = 'complete'
      and v.params ->> 'open' is distinct from 'true'
    order by v.finished_at desc, v.id desc
    limit 1`)
  if (row === undefined) return null
  return {
    run: row['id']!,
    clean: row['clean'] === 't',
    differences: row['differences']!,
    afterBackfill: row['after'] === 't',
  }
}

/** Transactions, prepared ones too, that were begun before capture was turned on. */
async function readOlder(session: Session, since: string): Promise<readonly OlderTransaction[]> {
  const rows = await session.rows<Record<string, string | null>>(sql`
    select a.pid, null as gid, coalesce(nullif(a.application_name, ''), a.usename, '?') as application,
      extract(epoch from clock_timestamp() - a.xact_start) * 1000 as age
    from pg_stat_activity a
    where a.datname = current_database()
      and a.pid <> pg_backend_pid()
      and a.xact_start < ${since}::timestamptz
      -- These write no row.
      and a.backend_type not in ('autovacuum worker', 'autovacuum launcher', 'walsender')
    union all
    select null, p.gid, p.owner, extract(epoch from clock_timestamp() - p.prepared) * 1000
    from pg_prepared_xacts p
    where p.database = current_database()
      and p.prepared < ${since}::timestamptz
    order by age desc`)
  return rows.map((row) => {
    const [pid, gid, age] = [row['pid'] ?? null, row['gid'] ?? null, shownAge(Number(row['age']))]
    const who =
      pid === null
        ? `prepared transaction ${JSON.stringify(gid)} (${row['application']}, ${age})`
        : `pid ${pid} (${row['application']}, ${age})`
    return { who, pid, gid }
  })
}

async function readRehearsal(
  session: Session,
  schema: string,
  table: string,
  since: string | null,
): Promise<Rehearsal | null> {
  const [row] = await session.rows<Record<string, string | null>>(sql`
    select id, outcome ->> 'result' = 'rehearsed' as ok, coalesce(outcome ->> 'lockedMs', '0') as locked_ms,
      finished_at as at
    from eventward.runs
    where command = 'cutover'
      and params ->> 'action' = 'rehearse'
      and table_schema = ${schema}::text
      and table_name = ${table}::text
      and started_at >= ${since}::timestamptz
    order by id desc
    limit 1`)
  if (row === undefined) return null
  return { run: row['id']!, ok: row['ok'] === 't', lockedMs: Number(row['locked_ms']), at: row['at']! }
}
