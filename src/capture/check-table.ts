import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { ident, sql } from '../sql/index.js'
import { readCaptureOfTable } from '../store/index.js'
import { captureObstacles, type Obstacle } from './obstacles.js'

/** What to know about the role that turns capture on. */
export interface CheckedTable {
  readonly superuser: boolean
  readonly role: string
}

/**
 * Refuses a table that can't be captured by this role, before anyone has to wait for a lock. What may change until the
 * lock is held is looked at again under it.
 *
 * @throws UsageError EW_CAPTURE_OWNER, EW_CAPTURE_ROW_SECURITY, EW_CAPTURE_ORDER, EW_CAPTURE_RULE, EW_CAPTURE_FOREIGN,
 * EW_CAPTURE_OTHER
 */
export async function checkTable(
  session: Session,
  live: CatalogTable,
  aggregateType: string,
): Promise<CheckedTable> {
  const { schema, name } = live
  const table = tableName({ schema, name })
  const { obstacle, ...role } = await checkRole(session, live)
  const [first] = [...(await captureObstacles(session, live)), ...(obstacle === null ? [] : [obstacle])]
  if (first !== undefined) {
    const { code, what, next } = first
    throw new UsageError(code, `${table}: ${what}; nothing was changed`, { next, details: { table } })
  }
  const other = await readCaptureOfTable(session, { schema, table: name })
  if (other !== null && other.state === 'on' && other.aggregateType !== aggregateType) {
    throw new UsageError(
      'EW_CAPTURE_OTHER',
      `${table}: it is captured as ${other.aggregateType}; nothing was changed`,
      {
        next: `Name the aggregate ${other.aggregateType} again, or turn its capture off under that name first.`,
        details: { table },
      },
    )
  }
  return role
}

/** Who runs this, and whether that role may make and replace our functions. */
async function checkRole(
  session: Session,
  { oid }: CatalogTable,
): Promise<CheckedTable & { readonly obstacle: Obstacle | null }> {
  const { role, superuser, may_create, owner } = await session.one<
    Record<'role' | 'superuser' | 'may_create', string> & { readonly owner: string | null }
  >(sql`
    select current_user as role,
      (select rolsuper from pg_roles where rolname = current_user) as superuser,
      has_schema_privilege('eventward', 'create') as may_create,
      (
        select pg_get_userbyid(p.proowner)
        from eventward.captures c
        join pg_proc p on p.proname = 'capture_before_' || c.slug and p.pronamespace = 'eventward'::regnamespace
        where c.relid = ${oid}::oid
          and not pg_has_role(current_user, p.proowner, 'usage')
        limit 1
      ) as owner`)
  const obstacle: Obstacle | null =
    owner !== null
      ? {
          code: 'EW_CAPTURE_OWNER',
          what: `its capture was turned on by ${owner}, and ${role} is no member of that role`,
          next: `grant ${ident(owner)} to ${ident(role)}`,
        }
      : may_create !== 't'
        ? {
            code: 'EW_CAPTURE_OWNER',
            what: `${role} may not make functions in the schema eventward`,
            next: `grant create on schema eventward to ${ident(role)}`,
          }
        : null
  return { role, superuser: superuser === 't', obstacle }
}
