import { type Session, sqlstateOf } from '../db/index.js'
import { DatabaseError } from '../errors/index.js'
import { type Query, sql } from '../sql/index.js'

/** An aggregate and the table that it's made of. */
export interface Defined {
  readonly name: string
  readonly schema: string
  readonly table: string
}

/** First halves of our advisory locks' keys: 'EWdf' and 'EWtb' in ASCII. */
const DEFINITION = 0x45_57_64_66
const TABLE = 0x45_57_74_62
/** Slices hold it for less than the deadlock timeout; a process that was suspended is thrown out soon after. */
const WAIT_MS = 5_000

/**
 * Holds the definition of an aggregate until the transaction ends: `shared` by whoever writes its events, `exclusive`
 * by whoever changes what they mean, opens its run or archives its partition: that one has the table's lock as well, so
 * that a table gets no events of two names. Advisory locks: they touch no table. Takes no snapshot that outlives it:
 * look at what it guards in a statement of its own.
 *
 * After `exclusive` the transaction waits for no lock longer than that.
 *
 * @throws DatabaseError EW_BUSY where another process doesn't let go of it; `shared` ends with the lock timeout.
 */
export async function lockDefinition(
  session: Session,
  { name, schema, table }: Defined,
  mode: 'shared' | 'exclusive',
): Promise<void> {
  if (mode === 'shared') {
    await session.execute(
      sql`select pg_advisory_xact_lock_shared(${String(DEFINITION)}::integer, hashtext(${name}::text))`,
    )
    return
  }
  const of = `${schema}.${table}`
  await lockExclusively(session, { space: TABLE, name: of, of })
  await lockExclusively(session, { space: DEFINITION, name, of })
}

interface Lock {
  readonly space: number
  readonly name: string
  /** The table, for messages. */
  readonly of: string
}

/** In a savepoint: after a failed statement the transaction could not be asked any more who is in the way. */
async function lockExclusively(session: Session, lock: Lock): Promise<void> {
  const { space, name } = lock
  await plain(session, `savepoint eventward_lock; set local lock_timeout = ${WAIT_MS}`)
  try {
    await session.execute(
      sql`select pg_advisory_xact_lock(${String(space)}::integer, hashtext(${name}::text))`,
    )
  } catch (error) {
    if (sqlstateOf(error) !== '55P03') throw error
    await plain(session, 'rollback to savepoint eventward_lock')
    throw busy(lock, await session.rows<{ who: string }>(holdersQuery(lock)))
  }
  await plain(session, 'release savepoint eventward_lock')
}

async function plain(session: Session, text: string): Promise<void> {
  await session.execute({ text, values: [] })
}

/** pg_locks shows the halves of a key as OIDs, which have no sign. */
function holdersQuery({ space, name }: Lock): Query {
  return sql`
    select format('pid %s (%s, since %s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'),
      to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS')) as who
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${String(space)}::oid
      and l.objid = (hashtext(${name}::text)::bigint & 4294967295)::oid
      and l.objsubid = 2
      and l.granted
    order by a.xact_start`
}

function busy({ of }: Lock, holders: readonly { readonly who: string }[]): DatabaseError {
  const who = holders.map((holder) => holder.who).join(', ')
  return new DatabaseError(
    'EW_BUSY',
    `${of}: another eventward process is at work on its definition${who === '' ? '' : `: ${who}`}`,
    { next: 'Run the command again once that has ended.', details: { table: of, holders: who } },
  )
}
