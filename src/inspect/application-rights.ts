import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import { ident, qualified, sql } from '../sql/index.js'

/** A right on one object of ours, in the form in which it's granted. */
export interface Right {
  /** `select`, `execute`, ... as `has_*_privilege` knows them. */
  readonly right: string
  readonly kind: 'schema' | 'table' | 'sequence' | 'function'
  /** Qualified and quoted; a function with its arguments' types. */
  readonly name: string
}

/** What a command reads of ours: where events are, and what they mean. */
const READ = ['settings', 'definitions', 'aggregates', 'row_shapes', 'epochs']
/** What it calls: for a value's text, its table's shape and phase, its idempotency key. */
const CALLED = ['enc', 'all_appended', 'claim_command', 'finish_command', 'phase\\_%']

/** What commands need, with or without an idempotency key, in each phase; and whoever reads rows and history. */
export async function commandRights(session: Session, events: EventsTable): Promise<readonly Right[]> {
  return [
    { right: 'usage', kind: 'schema', name: 'eventward' },
    { right: 'usage', kind: 'schema', name: ident(events.schema) },
    ...[qualified(events.schema, events.table), ...READ.map((name) => `eventward.${name}`)].map(
      onTable('select'),
    ),
    ...(await functionsNamed(session, CALLED)),
  ]
}

/** What commands need beyond that where a dispatcher enqueues jobs with their events. */
export function dispatcherRights(session: Session): Promise<readonly Right[]> {
  return functionsNamed(session, ['enqueue'])
}

/** What commands need beyond that to write inline projections: their live tables, and what is kept of them. */
export async function projectionRights(
  session: Session,
  names: readonly string[],
): Promise<readonly Right[]> {
  if (names.length === 0 || !(await readable(session, 'eventward.projection_generations'))) return []
  const live = await session.rows<{ schema: string; name: string }>(sql`
    select g.schema_name as schema, g.table_name as name
    from eventward.projection_generations g
    where g.state = 'live'
      and g.name = any (${names}::text[])
    order by 1, 2`)
  const tables = live.map(({ schema, name }) => qualified(schema, name))
  return [
    onTable('select')('eventward.projection_generations'),
    onTable('select')('eventward.projection_receipts'),
    onTable('insert')('eventward.projection_receipts'),
    ...live.map(({ schema }): Right => ({ right: 'usage', kind: 'schema', name: ident(schema) })),
    ...['select', 'insert', 'update', 'delete'].flatMap((right) => tables.map(onTable(right))),
  ]
}

/** What a knex with events (`withEvents`) needs beyond that, for tables without triggers: it writes the events itself. */
export async function shimRights(session: Session, events: EventsTable): Promise<readonly Right[]> {
  const table = qualified(events.schema, events.table)
  const { sequence } = await session.one<{ sequence: string | null }>(sql`
    select pg_get_serial_sequence(${table}::text, 'position') as sequence`)
  return [
    onTable('insert')(table),
    ...(sequence === null ? [] : [{ right: 'usage', kind: 'sequence', name: sequence } as const]),
    ...(await functionsNamed(session, ['captured_metadata'])),
  ]
}

const onTable =
  (right: string) =>
  (name: string): Right => ({ right, kind: 'table', name })

/** Whether a table of ours is there, and this role may read it. */
export async function readable(session: Session, table: string): Promise<boolean> {
  const { may } = await session.one<{ may: string | null }>(sql`
    select has_table_privilege(to_regclass(${table}::text), 'select') as may`)
  return may === 't'
}

/** By LIKE: our functions of these names, of all signatures. */
async function functionsNamed(session: Session, patterns: readonly string[]): Promise<readonly Right[]> {
  const rows = await session.rows<{ name: string }>(sql`
    select p.oid::regprocedure::text as name
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'eventward'
      and p.proname like any (${patterns}::text[])
    order by 1`)
  return rows.map(({ name }) => ({ right: 'execute', kind: 'function', name }))
}

/** Of these roles' rights, those that one of them lacks. Objects that aren't there are nobody's lack. */
export async function lackingRights(
  session: Session,
  roles: readonly string[],
  rights: readonly Right[],
): Promise<readonly { readonly role: string; readonly right: Right }[]> {
  const rows = await session.rows<{ role: string; place: string }>(sql`
    select r.role, w.place::text as place
    from unnest(${roles}::text[]) with ordinality as r (role, rank)
    cross join unnest(
      ${rights.map(({ kind }) => kind)}::text[],
      ${rights.map(({ name }) => name)}::text[],
      ${rights.map(({ right }) => right)}::text[]
    ) with ordinality as w (kind, name, wanted, place)
    where not coalesce(
      case w.kind
        when 'schema' then has_schema_privilege(r.role, to_regnamespace(w.name), w.wanted)
        when 'table' then has_table_privilege(r.role, to_regclass(w.name), w.wanted)
        when 'sequence' then has_sequence_privilege(r.role, to_regclass(w.name), w.wanted)
        when 'function' then has_function_privilege(r.role, to_regprocedure(w.name), w.wanted)
      end, true)
    order by r.rank, w.place`)
  return rows.flatMap(({ role, place }) => {
    const right = rights[Number(place) - 1]
    return right === undefined ? [] : [{ role, right }]
  })
}

/** GRANT statements, one for each right and kind of object, joined by `; `. */
export function grantsText(rights: readonly Right[], roles: readonly string[]): string {
  const to = roles.map(ident).join(', ')
  const groups = new Map<string, Set<string>>()
  for (const { right, kind, name } of rights) {
    const on = kind === 'table' ? '' : `${kind} `
    const group = `grant ${right} on ${on}`
    groups.set(group, (groups.get(group) ?? new Set()).add(name))
  }
  return [...groups].map(([group, names]) => `${group}${[...names].join(', ')} to ${to}`).join('; ')
}
