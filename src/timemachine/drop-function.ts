import type { Session } from '../db/index.js'
import { GateError } from '../errors/index.js'
import { ident, qualified, raw, sql } from '../sql/index.js'
import { type Known, shownFunction } from './known-functions.js'

/**
 * Drops a function, within the transaction.
 *
 * @throws GateError EW_TIME_MACHINE_USED where views or functions of someone's stand on it: they are named.
 */
export async function dropFunction(session: Session, { name, oid }: Known): Promise<void> {
  if (oid === null) return
  const users = await session.rows<{ what: string }>(sql`
    select distinct coalesce(
      (select format('view %s', c.oid::regclass) from pg_rewrite r join pg_class c on c.oid = r.ev_class
        where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid),
      pg_describe_object(d.classid, d.objid, d.objsubid)) as what
    from pg_depend d
    where d.refclassid = 'pg_proc'::regclass
      and d.refobjid = ${oid}::oid
      and d.deptype = 'n'
    order by 1`)
  if (users.length > 0) {
    const named = users.map(({ what }) => what).join(', ')
    throw new GateError(
      'EW_TIME_MACHINE_USED',
      `${shownFunction(name)} can't be dropped: ${named} ${users.length === 1 ? 'stands' : 'stand'} on it`,
      {
        next: `Drop ${named} first, run it again, and create ${users.length === 1 ? 'it' : 'them'} anew.`,
        details: { function: name, users: users.map(({ what }) => what) },
      },
    )
  }
  await session.execute(sql`drop function ${raw(qualified('eventward', name))}(pg_catalog.timestamptz)`)
}

/** Who may call a function, to be given back to the one that takes its place. */
export async function rightsOf(session: Session, { oid }: Known): Promise<readonly string[]> {
  const rows = await session.rows<{ grantee: string | null; grantable: string }>(sql`
    select case when a.grantee <> 0 then pg_get_userbyid(a.grantee) end as grantee, a.is_grantable as grantable
    from pg_proc p
    cross join lateral aclexplode(p.proacl) a
    where p.oid = ${oid}::oid
      and a.grantee <> p.proowner`)
  const { restricted } = await session.one(sql`
    select exists (select from pg_proc p where p.oid = ${oid}::oid and p.proacl is not null) as restricted`)
  const grants = rows.map(
    ({ grantee, grantable }) =>
      `to ${grantee === null ? 'public' : ident(grantee)}${grantable === 't' ? ' with grant option' : ''}`,
  )
  return restricted === 't' ? ['revoke', ...grants] : []
}

/** What `rightsOf` gave. */
export async function giveRights(session: Session, name: string, rights: readonly string[]): Promise<void> {
  const what = raw(`execute on function ${qualified('eventward', name)}(pg_catalog.timestamptz)`)
  for (const right of rights) {
    await session.execute(
      right === 'revoke' ? sql`revoke ${what} from public` : sql`grant ${what} ${raw(right)}`,
    )
  }
}
