import { captureObstacles } from '../capture/index.js'
import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** Beyond so many rows a TRUNCATE is noticeably slower than it was. */
const MANY_ROWS = 10_000

/** What capture would bring to the writers of a table, in words, and what stands in its way. Reads the catalog only. */
export async function captureWarnings(
  session: Session,
  table: CatalogTable,
  rows: string | null,
): Promise<readonly string[]> {
  const obstacles = await captureObstacles(session, table)
  return [
    ...obstacles.map(({ what, next }) => `can't be captured as it is: ${what}. ${next}`),
    ...(table.kind === 'partitioned'
      ? [
          'partitioned: run `eventward capture on` again after a partition was made or attached (its TRUNCATE is captured by a trigger of its own); a row that moves between partitions is an update',
        ]
      : []),
    ...(rows !== null && Number(rows) > MANY_ROWS
      ? [`once captured, TRUNCATE writes an event for each of its ${rows} rows, under its lock`]
      : []),
    ...(await keyLocks(session, table)),
    ...(await serializableUse(session)),
  ]
}

/**
 * A BEFORE ROW trigger makes PostgreSQL lock a row by the columns that an UPDATE names, not by those that it changes
 * (`ExecUpdateLockMode`): where a unique column is among them, children that are being inserted are waited for.
 */
async function keyLocks(session: Session, { oid }: CatalogTable): Promise<readonly string[]> {
  const { children, had } = await session.one<{ children: string | null; had: string }>(sql`
    select (
        select string_agg(distinct c.conrelid::regclass::text, ', ')
        from pg_constraint c
        where c.contype = 'f'
          and c.confrelid = ${oid}::oid
      ) as children,
      exists (
        select
        from pg_trigger t
        where t.tgrelid = ${oid}::oid
          and not t.tgisinternal
          and t.tgname not like '~eventward%'
          -- 1: row, 2: before, 16: update
          and t.tgtype & 19 = 19
          and t.tgenabled <> 'D'
      ) as had`)
  if (children === null || had === 't') return []
  return [
    `its rows are referenced by ${children}. Once captured, an UPDATE that names a unique column in SET, changed or not (some ORMs name all), waits for open inserts of children of its row; two such can deadlock. It is so with any BEFORE UPDATE trigger: let it name what changes`,
  ]
}

/** Hazard B8: each write reads its stream's last version, which a small index page shares with others. */
async function serializableUse(session: Session): Promise<readonly string[]> {
  const users = await session.rows<{ who: string }>(sql`
    select distinct case
        when s.setrole = 0 then 'the database''s default'
        else format('role %I', pg_get_userbyid(s.setrole))
      end as who
    from pg_db_role_setting s
    cross join unnest(s.setconfig) c (setting)
    where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and c.setting = 'default_transaction_isolation=serializable'
    union
    select 'the server''s default'
    from pg_settings
    where name = 'default_transaction_isolation'
      and reset_val = 'serializable'
      and source not in ('database', 'user', 'database user', 'session', 'client')`)
  if (users.length === 0) return []
  const who = users.map((user) => user.who).join(', ')
  return [
    `SERIALIZABLE (${who}): writers of different rows may get serialization failures (40001) from each other's events, while it's small`,
  ]
}
