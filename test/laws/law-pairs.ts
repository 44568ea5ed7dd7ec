/** Pairs of rows in real tables: `public.law`, and `public.law_pairs` (n, creation, b: before, a: after). */
import type { Session } from '../../src/db/index.js'
import type { BoundColumn, BoundModel, Row } from '../../src/definition/index.js'
import type { Instant } from '../../src/recognise/index.js'
import { ident, instantSql, ofInstantSql, raw, sql, textSql } from '../../src/sql/index.js'
import type { TestDatabase } from '../support/database.js'
import type { RandomModel, RandomPair } from './random-model.js'

/** Makes both tables, and no partition of events. */
export async function loadPairs(
  db: TestDatabase,
  columns: RandomModel['columns'],
  pairs: readonly RandomPair[],
): Promise<void> {
  await db.admin.query('drop table if exists public.law, public.law_pairs, public.events_law cascade')
  const described = columns.map(({ name, type }) => `${ident(name)} ${type}`).join(', ')
  await db.admin.query(`create table public.law (id bigint primary key, ${described})`)
  await db.admin.query(
    'create table public.law_pairs (n bigint, creation boolean, b public.law, a public.law)',
  )
  const values: (string | null)[] = []
  const param = (value: string | null, type: string) => `$${values.push(value)}::${type}`
  const rows = pairs.map(({ before, after }, n) => {
    const row = (texts: readonly (string | null)[]) =>
      `row(${[String(n), ...columns.map(({ type }, at) => param(texts[at] ?? null, type))].join(', ')})::public.law`
    return `(${n}, ${before === null}, ${before === null ? 'null' : row(before)}, ${row(after)})`
  })
  await db.admin.query(`insert into public.law_pairs values ${rows.join(', ')}`, values)
}

/** A column of one side of the pair `p`. */
export const side = (row: 'a' | 'b') => (column: BoundColumn) => `(p.${row}).${ident(column.name)}`

/** A pair as texts of every stored column; `before` null: a creation. */
export interface TextPair {
  readonly n: string
  readonly before: Row | null
  readonly after: Row
}

/** Reads the pairs as the output functions write them. */
export async function readTexts(session: Session, model: BoundModel): Promise<readonly TextPair[]> {
  // Not the compiler's own textSql: the output function, plainly.
  const texts = (row: 'a' | 'b') =>
    `to_json(array[${model.columns.map((c) => `case when num_nulls(${side(row)(c)}) = 0 then format('%s', ${side(row)(c)}) end`).join(', ')}])::text`
  const found = await session.rows(
    sql`select n, creation::text, ${raw(texts('b'))} as b, ${raw(texts('a'))} as a from public.law_pairs p order by n`,
  )
  const rowOf = (json: string | null | undefined): Row => {
    const parsed = JSON.parse(json ?? '[]') as (string | null)[]
    return Object.fromEntries(model.columns.map(({ name }, at) => [name, parsed[at] ?? null]))
  }
  return found.map((row) => ({
    n: String(row['n']),
    before: row['creation'] === 'true' ? null : rowOf(row['b']),
    after: rowOf(row['a']),
  }))
}

/** Only the server may say what a local time means in a zone with a daylight saving time. */
export async function serverInstants(
  session: Session,
  model: BoundModel,
): Promise<ReadonlyMap<string, Instant>> {
  const found = new Map<string, Instant>()
  for (const column of model.columns.filter(({ temporal }) => temporal !== null)) {
    for (const row of ['a', 'b'] as const) {
      const value = side(row)(column)
      const instant = instantSql(column, value, model.timeZone)
      const local = ofInstantSql({ ...column, temporal: 'timestamp' }, `(${instant})`, model.timeZone)
      const rows = await session.rows(
        sql`select ${raw(textSql(column, value))} as text, (${raw(instant)})::text as utc, (${raw(local)})::text as local
          from public.law_pairs p where (${raw(instant)}) is not null`,
      )
      for (const { text, utc, local: localText } of rows) {
        found.set(`${column.name}\0${text}`, { utc: String(utc), local: String(localText) })
      }
    }
  }
  return found
}
