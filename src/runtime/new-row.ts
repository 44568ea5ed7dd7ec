import type { CatalogColumn } from '../catalog/index.js'
import type { Row } from '../definition/index.js'
import { literal, type Query, qualified, raw, sql } from '../sql/index.js'
import type { Answer } from './caller-connection.js'
import type { Binding } from './command-binding.js'
import { localSql, type Moment, momentOf } from './load-row.js'

export interface Fresh {
  readonly now: Moment
  /** Canonical texts of what the table gives by default, by column: of those that were asked for. */
  readonly defaults: Row
}

/** Which columns are asked about. */
export type Wanted = (column: CatalogColumn) => boolean

/**
 * The clock, and what the table would give a new row in these columns. Asked for before the row is written, since its
 * stream is named by its key and its events are announced with its image. Under the application's own settings, as in
 * its inserts: `current_date` is today in its zone.
 */
export function freshQuery(binding: Binding, wanted: Wanted): Query {
  const selected = givenBy(binding, wanted).map(
    ({ expression }, index) => `, eventward.enc(${expression}) as d${index}`,
  )
  return sql`
    select eventward.enc(n.now) as now, eventward.enc(${raw(localSql(binding))}::pg_catalog.timestamp) as local${raw(selected.join(''))}
    from (select pg_catalog.clock_timestamp() as now) as n`
}

export function freshFrom(binding: Binding, wanted: Wanted, answers: readonly Answer[]): Fresh {
  const texts = answers[0]?.rows[0] ?? {}
  const given = givenBy(binding, wanted)
  return {
    now: momentOf(texts),
    defaults: Object.fromEntries(given.map(({ name }, index) => [name, texts[`d${index}`] ?? null])),
  }
}

function givenBy(binding: Binding, wanted: Wanted) {
  const columns = binding.table.columns.filter((column) => !column.generated && wanted(column))
  return columns.flatMap((column) => {
    const expression = defaultSql(binding, column)
    return expression === null ? [] : [{ name: column.name, expression }]
  })
}

/** Of the column's own type, since the default is what would be stored: numeric(10,2) makes 0 to 0.00. */
function defaultSql({ model }: Binding, column: CatalogColumn): string | null {
  if (column.identity) {
    const sequence = `pg_catalog.pg_get_serial_sequence(${literal(qualified(model.schema, model.table))}, ${literal(column.name)})`
    return `pg_catalog.nextval(${sequence}::pg_catalog.regclass)`
  }
  return column.default === null ? null : `(${column.default})::${column.type}`
}
