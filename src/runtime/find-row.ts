import type { Knex } from 'knex'
import type { AggregateDefinition, Row } from '../definition/index.js'
import { streamOf } from '../recognise/index.js'
import { columnOf, literal, type Query, qualified, raw, sql, streamIdSql } from '../sql/index.js'
import { rowShapeQuery } from './ask-phase.js'
import { serverTexts } from './attribute-texts.js'
import { type CallerConnection, connectionOf } from './caller-connection.js'
import { readingSession } from './caller-session.js'
import { type Binding, bindingOf } from './command-binding.js'
import { invalid, type Named } from './command-errors.js'
import { keyTexts } from './command-input.js'
import { type KeyTexts, keyIs, loadRow, rowColumns, rowOf, tableSql } from './load-row.js'

/** A row as it was found. */
export interface FoundRow {
  readonly row: Row
  readonly id: string
  /** The last version of its stream; 0 where it has none. */
  readonly version: number
}

/** An aggregate within a transaction of the application, for reading. */
export interface Reading {
  readonly connection: CallerConnection
  readonly binding: Binding
  readonly named: Named
}

/** Binds the definition under ACCESS SHARE on the table, so that no DDL comes between the look at its columns and the read. */
export async function openReading(trx: Knex.Transaction, definition: AggregateDefinition): Promise<Reading> {
  const connection = await connectionOf(trx)
  const { schema, name } = definition.table
  const answers = await connection.run([
    sql`lock table only ${raw(qualified(schema, name))} in access share mode`,
    sql`select pg_catalog.current_database() as database`,
    rowShapeQuery(definition),
  ])
  const database = answers[1]?.rows[0]?.['database'] ?? ''
  const shape = answers[2]?.rows[0]?.['shape'] ?? ''
  const binding = await bindingOf({ knex: trx, connection, definition, database, shape })
  return { connection, binding, named: { where: definition.name, table: definition.table } }
}

/** The texts of a whole key. @throws UsageError EW_COMMAND_INVALID */
export async function wholeKey(
  { connection, binding, named }: Reading,
  key: Readonly<Record<string, unknown>>,
): Promise<KeyTexts> {
  const wrong = [
    ...binding.model.key
      .filter((name) => key[name] == null)
      .map((name) => ({ message: 'the key is missing', path: [name] })),
    ...Object.keys(key)
      .filter((name) => !binding.model.key.includes(name))
      .map((name) => ({ message: 'is no column of the key', path: [name] })),
  ]
  if (wrong.length > 0) throw invalid(named, wrong)
  return keyTexts(serverTexts(connection), binding, key, named)
}

/** Locked (FOR NO KEY UPDATE, until the transaction ends) where asked. Null where there is no such row. */
export async function findRow(reading: Reading, key: KeyTexts, lock: boolean): Promise<FoundRow | null> {
  const { connection, binding } = reading
  if (lock) return loadRow(connection, binding, { key, lock: 'no key update' })
  const [texts] = await readingSession(connection).rows(rowAndHead(binding, keyIs(binding, 't', key)))
  if (texts === undefined) return null
  const row = rowOf(binding, texts)
  return { row, id: streamOf(binding.model, row), version: Number(texts['version']) }
}

/** One statement, one snapshot: a version that is newer than the row would let a stale decision through. */
function rowAndHead(binding: Binding, where: Query): Query {
  const { model, events } = binding
  return sql`
    select ${raw(rowColumns(binding, 't'))}, coalesce(h.version, 0) as version
    from ${raw(tableSql(binding))} as t
    left join lateral (
      select e.version
      from ${raw(qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${raw(literal(model.name))}
        and e.aggregate_id = (${raw(streamIdSql(model, columnOf('t')))}) collate "C"
      order by e.version desc
      limit 1
    ) as h on true
    where ${where}`
}
