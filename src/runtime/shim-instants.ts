import type { BoundColumn, Row } from '../definition/index.js'
import type { Instant } from '../recognise/index.js'
import { instantSql, literal, raw, sql } from '../sql/index.js'
import { type CallerConnection, keepSettings, pinLocally, restoreSettings } from './caller-connection.js'
import type { Binding } from './command-binding.js'

/**
 * What instants the bound columns of these rows mean, in a zone other than UTC: only the server may say, since two time
 * zone databases would be two meanings. Undefined for UTC, where recognise knows by itself.
 */
export async function instantsOf(
  connection: CallerConnection,
  { model }: Binding,
  rows: readonly Row[],
): Promise<((column: BoundColumn, text: string) => Instant | null) | undefined> {
  if (model.timeZone === 'UTC') return undefined
  const bound = new Set([...model.events.flatMap((event) => event.bound), model.updatedAt])
  const columns = model.columns.filter(({ name }) => bound.has(name))
  const asked = new Map<string, { readonly column: BoundColumn; readonly text: string }>()
  for (const row of rows) {
    for (const column of columns) {
      const text = row[column.name] ?? null
      if (text !== null) asked.set(keyOf(column, text), { column, text })
    }
  }
  const known = new Map<string, Instant | null>()
  if (asked.size > 0) {
    const selects = [...asked.values()].map(({ column, text }, place) => {
      const value = `${literal(text)}::pg_catalog.text::${column.castType}`
      return `select ${place} as place, i.utc, i.utc at time zone ${literal(model.timeZone)} as local
        from (select ${instantSql(column, `(${value})`, model.timeZone)} as utc) as i`
    })
    const answers = await connection.run([
      keepSettings,
      pinLocally,
      sql`${raw(selects.join('\n union all '))} order by place`,
      restoreSettings,
    ])
    ;[...asked.keys()].forEach((key, place) => {
      const { utc = null, local = null } = answers[2]?.rows[place] ?? {}
      known.set(key, utc === null || local === null ? null : { utc, local })
    })
  }
  return (column, text) => known.get(keyOf(column, text)) ?? null
}

const keyOf = (column: BoundColumn, text: string) => `${column.name}\n${text}`
