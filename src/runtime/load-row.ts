import type { BoundColumn, Row } from '../definition/index.js'
import { streamOf } from '../recognise/index.js'
import {
  columnOf,
  ident,
  keyColumnSql,
  literal,
  type Query,
  qualified,
  raw,
  sql,
  streamIdSql,
  textAnywhere,
} from '../sql/index.js'
import type { Answer, CallerConnection, Texts } from './caller-connection.js'
import type { Binding } from './command-binding.js'
import { kept } from './kept-statement.js'

/** A moment, as the database has it. */
export interface Moment {
  /** timestamptz text in UTC. */
  readonly utc: string
  /** The same as timestamp text in the model's zone; null where that is UTC. */
  readonly local: string | null
}

export interface Loaded {
  readonly row: Row
  readonly id: string
  /** The last version of its stream; 0 where it has none yet. */
  readonly version: number
  /** The clock under the row's lock, never before the stream's last event was recorded. */
  readonly now: Moment
}

/** UPDATE where the row will be removed. */
export type RowLock = 'no key update' | 'update'

/** The key's texts by column, as someone gave them. */
export type KeyTexts = Readonly<Record<string, string>>

/**
 * Locks a row and reads it as canonical texts, with the head of its stream; null where there is none. FOR NO KEY UPDATE,
 * so that children can still be inserted; FOR UPDATE where the row will be removed: two locks one after the other could
 * deadlock with whoever came between.
 */
export async function loadRow(
  connection: CallerConnection,
  binding: Binding,
  what: RowToLoad,
): Promise<Loaded | null> {
  const answers = await connection.run(loadQueries(binding, what))
  return loadedFrom(binding, answers)
}

export interface RowToLoad {
  readonly key: KeyTexts
  readonly lock: RowLock
  /** SQL of columns that are asked for with the row's own. */
  readonly beside?: { readonly name: string; readonly columns: Query }
}

/** Under the application's own settings. */
export function loadQueries(
  binding: Binding,
  { key, lock, beside }: RowToLoad,
): readonly [row: Query, head: Query] {
  const values = keyValues(binding, key)
  const where = () => keyIs(binding, 't', key)
  // Two statements: the snapshot of the second is younger than the lock.
  return [
    kept(binding, `${beside?.name ?? ''} row for ${lock}`, values, () =>
      rowQuery(binding, where(), lock, beside?.columns),
    ),
    isFaithful(binding)
      ? kept(binding, 'head', [streamOf(binding.model, key)], () => headQuery(binding, where(), key))
      : kept(binding, 'head', values, () => headQuery(binding, where(), key)),
  ]
}

export function loadedFrom(binding: Binding, answers: readonly Answer[]): Loaded | null {
  const [texts] = answers[0]?.rows ?? []
  const head = answers[1]?.rows[0]
  if (texts === undefined || head === undefined) return null
  const row = rowOf(binding, texts)
  return { row, id: streamOf(binding.model, row), version: Number(head['version']), now: momentOf(head) }
}

/** The values of `keyIs`. */
export function keyValues({ key }: Binding, texts: KeyTexts): readonly (string | null)[] {
  return key.columns.map(({ name }) => texts[name] ?? null)
}

/** Whether equal keys have one text: then the stream is known by it. */
function isFaithful({ model }: Binding): boolean {
  return model.key.every((name) => model.columns.find((column) => column.name === name)?.faithful)
}

/** SQL of whether `alias` is the row of this key. */
export function keyIs({ key }: Binding, alias: string, texts: KeyTexts): Query {
  return key.columns
    .map(
      (column) =>
        sql`${raw(keyColumnSql(column, alias))} ${raw(column.equal)} ${texts[column.name] ?? null}::${raw(column.castType)}`,
    )
    .reduce((all, one) => sql`${all} and ${one}`)
}

/** SQL of a row's columns, to be read under pinned settings: the server writes each by its type's output function. */
export function rowColumns({ model }: Binding, alias: string): string {
  return model.columns.map(({ name }, slot) => `${alias}.${ident(name)} as c${slot}`).join(', ')
}

export function rowOf({ model }: Binding, texts: Texts): Row {
  return Object.fromEntries(model.columns.map(({ name }, slot) => [name, texts[`c${slot}`] ?? null]))
}

export function tableSql({ model }: Binding): string {
  return qualified(model.schema, model.table)
}

function rowQuery(binding: Binding, where: Query, lock: RowLock, beside?: Query): Query {
  const { columns } = binding.anywhere
  const texts = columns.map((column, slot) => `${anywhereSql(column, `t.${ident(column.name)}`)} as c${slot}`)
  return sql`
    select ${beside === undefined ? sql`` : sql`${beside}, `}${raw(texts.join(', '))}
    from ${raw(tableSql(binding))} as t
    where ${where}
    for ${raw(lock)} of t`
}

/** A value as its output function writes it, under any settings. */
export function anywhereSql({ textBy, castType }: BoundColumn, expression: string): string {
  return typeof textBy === 'string' ? textAnywhere(castType, expression) : expression
}

function headQuery(binding: Binding, where: Query, key: KeyTexts): Query {
  const { model, anywhere, events } = binding
  const stream = isFaithful(binding)
    ? sql`(select ${streamOf(model, key)}::pg_catalog.text as id) as s`
    : sql`(select ${raw(streamIdSql(anywhere, columnOf('t')))} as id from ${raw(tableSql(binding))} as t where ${where}) as s`
  return sql`
    select coalesce(n.version, 0) as version, ${raw(textAnywhere(INSTANT, 'n.now'))} as now,
      eventward.enc(${raw(localSql(binding))}::pg_catalog.timestamp) as local
    from (
      select h.version, greatest(pg_catalog.clock_timestamp(), h.recorded_at) as now
      from ${stream}
      left join lateral (
        select e.version, e.recorded_at
        from ${raw(qualified(events.schema, events.table))} as e
        where e.aggregate_type operator(pg_catalog.=) ${raw(literal(model.name))}
          and e.aggregate_id operator(pg_catalog.=) s.id collate "C"
        order by e.version desc
        limit 1
      ) as h on true
    ) as n`
}

/** The type of a moment. */
export const INSTANT = qualified('pg_catalog', 'timestamptz')

/** SQL of a moment `n.now` in the model's zone. */
export function localSql({ model }: Binding): string {
  return model.timeZone === 'UTC' ? 'null' : `(n.now at time zone ${literal(model.timeZone)})`
}

export function momentOf(texts: Texts): Moment {
  return { utc: texts['now'] ?? '', local: texts['local'] ?? null }
}
