import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import { isParticiple, pastOfVerb } from './past-tense.js'
import { pascalCase, singularWords, words } from './words.js'

/** What the time columns of a table tell. Each column has one part at most. */
export interface TimeColumns {
  /** When the row came to be. */
  readonly created: string | null
  /** When it was last written. */
  readonly updated: string | null
  readonly lifecycle: readonly LifecycleColumn[]
}

/** A column that holds when something happened to a row. */
export interface LifecycleColumn {
  readonly column: string
  /** In PascalCase, in the past: `Activated`. */
  readonly event: string
  /** The words before its ending: `activated` of activated_at. */
  readonly stem: readonly string[]
}

/** Reads the names of a table's timestamp and date columns. Pure. */
export function timeColumns(table: CatalogTable): TimeColumns {
  const key = new Set(table.key?.columns.map(({ name }) => name))
  const candidates = table.columns.filter(
    (column) => isTime(column) && !column.generated && !key.has(column.name),
  )
  const created = creationColumn(candidates, table.name)
  const updated = candidates.find(({ name }) => name !== created && UPDATED.has(joined(name)))?.name ?? null
  const rest = candidates.filter(({ name }) => name !== created && name !== updated)
  return { created, updated, lifecycle: lifecycleColumns(rest) }
}

const list = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/))

const CREATED = list(
  `created created_at created_on created_date created_time created_ts created_timestamp create_date create_time
  create_ts creation_date creation_time creation_ts date_created inserted inserted_at inserted_on insert_date
  date_inserted added added_at added_on date_added date_entered entry_date`,
)

const UPDATED = list(
  `updated updated_at updated_on updated_date updated_time updated_ts update_date update_time update_ts date_updated
  last_update last_updated last_updated_at last_updated_on last_update_date last_update_time modified modified_at
  modified_on modified_date modified_time modified_ts modification_date date_modified last_modified last_modified_at
  last_modified_on last_modified_date last_change last_changed last_changed_at changed changed_at changed_on mtime`,
)

/** Endings by which a column says that it holds a time. */
const ENDINGS = list('at on date time ts timestamp datetime')

/** What lies ahead, bounds something, comes back again and again, or happened to somebody before there was a row. */
const NO_EVENTS = list(
  `birth born due expected estimated expire expires expiry expiration valid effective from until to start starts end
  ends begin begins scheduled planned required promised requested_for next target deadline last first projected
  proposed anticipated reminder available`,
)

function creationColumn(candidates: readonly CatalogColumn[], table: string): string | null {
  const own = singularWords(table).at(-1) ?? ''
  const named = candidates.find(({ name }) => CREATED.has(joined(name)))
  const ofTable = candidates.find(({ name }) => {
    const parts = words(name)
    return parts.length > 1 && ENDINGS.has(parts.at(-1) ?? '') && parts.at(-2) === own && ofOwn(parts, table)
  })
  return (named ?? ofTable)?.name ?? null
}

/** `rental_date` of rental, `order_date` of sales_orders; not `last_order_date` of orders. */
function ofOwn(parts: readonly string[], table: string): boolean {
  const own = singularWords(table)
  return parts.slice(0, -1).every((part) => own.includes(part))
}

function lifecycleColumns(candidates: readonly CatalogColumn[]): readonly LifecycleColumn[] {
  const found = new Map<string, LifecycleColumn>()
  for (const { name } of candidates) {
    const lifecycle = lifecycleOf(name)
    if (lifecycle !== null && !found.has(lifecycle.event)) found.set(lifecycle.event, lifecycle)
  }
  return [...found.values()]
}

function lifecycleOf(column: string): LifecycleColumn | null {
  if (CREATED.has(joined(column)) || UPDATED.has(joined(column))) return null
  const parts = words(column)
  const ending = ENDINGS.has(parts.at(-1) ?? '')
  const dated = parts[0] === 'date' && !ending
  const stem = ending ? parts.slice(0, -1) : dated ? parts.slice(1) : parts
  const last = stem.at(-1)
  if (last === undefined || stem.some((word) => NO_EVENTS.has(word))) return null
  const verb = ending || dated ? pastOfVerb(last) : null
  const past = isParticiple(last) ? last : verb
  return past === null ? null : { column, event: eventName([...stem.slice(0, -1), past]), stem }
}

/** `Deleted` and `Changed` are the names of residue: a row that is marked as deleted is still there. */
function eventName(parts: readonly string[]): string {
  const name = pascalCase(parts)
  return name === 'Deleted' ? 'SoftDeleted' : name === 'Changed' ? 'MarkedChanged' : name
}

function isTime({ baseTypeSchema, baseTypeName }: CatalogColumn): boolean {
  return baseTypeSchema === 'pg_catalog' && ['timestamptz', 'timestamp', 'date'].includes(baseTypeName)
}

function joined(name: string): string {
  return words(name).join('_')
}
