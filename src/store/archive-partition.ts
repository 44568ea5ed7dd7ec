import { type Session, sqlstateOf } from '../db/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { ARCHIVE_MARKER, type EventsTable } from '../migrate/index.js'
import { ident, literal, qualified, raw, sql } from '../sql/index.js'
import { withSuffix } from './partition-name.js'
import { RESTART } from './pending-restart.js'

/** A partition of the events table. */
export interface Partition {
  readonly oid: string
  readonly schema: string
  readonly table: string
  /** DETACH CONCURRENTLY was begun and did not end. */
  readonly detaching: boolean
}

/** The partition that holds an aggregate's events, or null. Takes no lock. */
export async function partitionOf(
  session: Session,
  events: EventsTable,
  aggregateType: string,
): Promise<Partition | null> {
  const [found] = await session.rows<{ oid: string; schema: string; table: string; detaching: string }>(sql`
    select c.oid::text as oid, n.nspname::text as schema, c.relname::text as table, i.inhdetachpending as detaching
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class p on p.oid = i.inhparent
    join pg_namespace pn on pn.oid = p.relnamespace
    where pn.nspname = ${events.schema}::text
      and p.relname = ${events.table}::text
      -- Written back by the server with quotes doubled, and never as an escape string.
      and pg_get_expr(c.relpartbound, c.oid) =
        format('FOR VALUES IN (''%s'')', replace(${aggregateType}::text, '''', ''''''))`)
  return found === undefined ? null : { ...found, detaching: found.detaching === 't' }
}

/** A free name for the archive of a partition: `events_subscription_archive_1`, `_2`, ... */
export async function archiveName(session: Session, { schema, table }: Partition): Promise<string> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname::text as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema}::text`)
  const taken = new Set(rows.map(({ name }) => name))
  for (let number = 1; ; number += 1) {
    const name = withSuffix(table, `_archive_${number}`)
    if (!taken.has(name)) return name
  }
}

/**
 * Takes a partition, known by its OID, out of the events table and gives it the name of an archive. Each step looks at
 * what is there, so that it can be killed anywhere and called again. Not within a transaction: DETACH CONCURRENTLY,
 * which bars no reader or writer of the events table, waits for transactions older than itself.
 *
 * @throws UsageError EW_RESTART_OTHER while another partition is being detached: PostgreSQL takes one at a time.
 */
export async function archivePartition(
  session: Session,
  events: EventsTable,
  { oid, archive }: { readonly oid: string; readonly archive: string },
): Promise<void> {
  await detach(session, events, oid)
  await session.transaction({}, async () => {
    const found = await relation(session, oid)
    if (found === null) return // Someone dropped the archive already.
    if (found.table !== archive) {
      await session.execute(
        sql`alter table ${raw(qualified(found.schema, found.table))} rename to ${raw(ident(archive))}`,
      )
    }
    await keepAppendOnly(session, qualified(found.schema, archive))
  })
}

async function detach(session: Session, events: EventsTable, oid: string): Promise<void> {
  const found = await relation(session, oid)
  if (found === null || found.attached === 'no') return
  const parent = raw(qualified(events.schema, events.table))
  const partition = raw(qualified(found.schema, found.table))
  const ending = found.attached === 'detaching' ? 'finalize' : 'concurrently'
  try {
    await session.execute(sql`alter table ${parent} detach partition ${partition} ${raw(ending)}`)
  } catch (error) {
    // Another process was faster: nothing is pending (55000), or it isn't a partition any more (42P01).
    if (!['55000', '42P01'].includes(sqlstateOf(error) ?? '')) throw error
    const now = await relation(session, oid)
    if (now?.attached !== 'no') throw (await otherDetaching(session, oid)) ?? error
  }
}

/** The partition of the same table that is half detached, and whose restart will end that; null where there is none. */
async function otherDetaching(session: Session, oid: string): Promise<UsageError | null> {
  const [other] = await session.rows<{ partition: string; parent: string; of: string | null }>(sql`
    select format('%I.%I', n.nspname, c.relname) as partition,
      format('%I.%I', pn.nspname, p.relname) as parent,
      (
        select case r.table_schema when 'public' then r.table_name else r.table_schema || '.' || r.table_name end
        from eventward.runs r
        where r.command = ${RESTART}::text
          and r.params ->> 'oid' = c.oid::text
        order by r.id desc
        limit 1
      ) as of
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class p on p.oid = i.inhparent
    join pg_namespace pn on pn.oid = p.relnamespace
    where i.inhdetachpending
      and i.inhrelid <> ${oid}::oid
      and i.inhparent in (select inhparent from pg_inherits where inhrelid = ${oid}::oid)`)
  if (other === undefined) return null
  const { partition, parent, of } = other
  return new UsageError(
    'EW_RESTART_OTHER',
    `${partition}${of === null ? '' : ` (events of ${of})`} is being detached, and PostgreSQL detaches one partition at a time`,
    {
      next:
        of === null
          ? `Run \`alter table ${parent} detach partition ${partition} finalize\`, then this again.`
          : `Where that restart is at work no more, end it: \`eventward backfill ${shellWord(of)} --restart --confirm ${shellWord(of)}\`. Then run this again: it goes on from there.`,
      details: { partition, table: of },
    },
  )
}

interface Relation {
  readonly schema: string
  readonly table: string
  readonly attached: 'yes' | 'detaching' | 'no'
}

async function relation(session: Session, oid: string): Promise<Relation | null> {
  const [found] = await session.rows<{ schema: string; table: string; attached: string }>(sql`
    select n.nspname::text as schema, c.relname::text as table,
      case when i.inhrelid is null then 'no' when i.inhdetachpending then 'detaching' else 'yes' end as attached
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid
    where c.oid = ${oid}::oid`)
  return found === undefined ? null : (found as Relation)
}

/** DETACH takes the clone of the parent's row trigger away; an archive is append-only as well. */
async function keepAppendOnly(session: Session, archive: string): Promise<void> {
  const name = raw(archive)
  await session.execute(sql`
    create or replace trigger eventward_append_only
    before insert or update or delete on ${name}
    for each row execute function eventward.refuse_change()`)
  await session.execute(sql`alter table ${name} enable always trigger eventward_append_only`)
  await session.execute(sql`comment on table ${name} is ${raw(literal(ARCHIVE_MARKER))}`)
}
