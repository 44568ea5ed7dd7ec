import { sqlstateOf } from '../db/index.js'
import type { BoundColumn, Row, Text } from '../definition/index.js'
import { ident, literal, type Query, qualified, raw, sql, textAnywhere } from '../sql/index.js'
import {
  type CallerConnection,
  keepSettings,
  restoreSettings,
  setLocally,
  type Texts,
} from './caller-connection.js'
import type { Binding } from './command-binding.js'
import { type Named, unused } from './command-errors.js'
import { type KeptStatement, kept } from './kept-statement.js'
import { INSTANT, keyIs, keyValues, tableSql } from './load-row.js'
import type { Planned } from './planned-event.js'

/** What goes with a write. */
export interface Metadata {
  /** JSON text: of the command's events. */
  readonly metadata: string
  /** JSON text of `eventward.metadata` for whatever else the write sets off; null for none. */
  readonly context: string | null
}

/** A row's write, with the events that it means. */
export interface RowWrite extends Metadata {
  readonly id: string
  /** The last version of the stream when the row was locked. */
  readonly version: number
  readonly before: Row | null
  readonly after: Row | null
  readonly events: readonly Planned[]
}

/**
 * Announces the events and writes the row in ONE statement, so that the first capture trigger that meets the row appends
 * them; reads back what was appended. A row that stays as it is is updated to itself: an append that leaves the row alone
 * would be met by an older snapshot as a duplicate key of ours.
 *
 * @throws DatabaseError EW_ANNOUNCEMENT where no trigger took them (fewer are there): the transaction is aborted, so that nobody commits a
 * row without its events.
 */
export async function writeRow(
  run: CallerConnection['run'],
  binding: Binding,
  write: RowWrite,
  named: Named,
): Promise<readonly Texts[]> {
  const settings = [
    ...(write.context === null ? [] : [setLocally('eventward.metadata', write.context)]),
    ...inputSettings(binding),
  ]
  const around = settings.length > 0
  const answers = await run([
    ...(around ? [keepSettings, ...settings] : []),
    writeStatement(binding, write),
    ...(around ? [restoreSettings] : []),
    kept(binding, 'appended', [write.id, String(write.version), String(write.events.length)], () =>
      appendedQuery(binding, write),
    ),
  ]).catch((error: unknown) => {
    throw sqlstateOf(error) === 'EW011' ? unused(named, error) : error
  })
  return answers.at(-1)?.rows ?? []
}

function writeStatement(binding: Binding, write: RowWrite): KeptStatement {
  const { after, before } = write
  const said = announcement(binding, write)
  const announced = sql`pg_catalog.set_config('eventward.announced', ${said}, true)`
  const key = before === null ? {} : keyTexts(binding, before)
  const keys = keyValues(binding, key)
  // Behind the key: it's called for the row alone. It gives what it sets, which is never NULL.
  if (after === null) {
    return kept(
      binding,
      'delete',
      [...keys, said],
      () => sql`
    delete from ${raw(tableSql(binding))} as t
    where ${keyIs(binding, 't', key)}
      and ${announced} is not null`,
    )
  }
  const textsOf = (columns: readonly BoundColumn[]) => columns.map(({ name }) => textOf(after, name))
  if (before === null) {
    return kept(
      binding,
      'insert',
      [said, ...textsOf(binding.model.columns)],
      () => sql`with a as materialized (select ${announced}) ${insertQuery(binding, after)}`,
    )
  }
  const changed = changedColumns(binding, before, after)
  return kept(
    binding,
    `update ${changed.map(({ attnum }) => attnum).join(' ')}`,
    [...textsOf(changed), ...keys, said],
    () => {
      const set = changed.map((column) => sql`${raw(ident(column.name))} = ${valueSql(column, after)}`)
      return sql`
    update ${raw(tableSql(binding))} as t
    set ${list(set.length > 0 ? set : [itself(binding)])}
    where ${keyIs(binding, 't', key)}
      and ${announced} is not null`
    },
  )
}

/** All columns: one that is left out would get its default. */
function insertQuery(binding: Binding, after: Row): Query {
  const { columns } = binding.model
  return sql`
    insert into ${raw(tableSql(binding))} (${raw(columns.map(({ name }) => ident(name)).join(', '))})
    overriding system value
    select ${list(columns.map((column) => valueSql(column, after)))}
    from a`
}

function changedColumns({ model }: Binding, before: Row, after: Row): readonly BoundColumn[] {
  return model.columns.filter(({ name }) => textOf(before, name) !== textOf(after, name))
}

/** A column set to what it is: no part of the key, nor an identity, which only takes its default. */
function itself({ model, table }: Binding): Query {
  const identities = new Set(table.columns.filter(({ identity }) => identity).map(({ name }) => name))
  const plain = model.columns.find(({ name }) => !model.key.includes(name) && !identities.has(name))
  const name = ident(plain?.name ?? model.key[0] ?? '')
  return sql`${raw(name)} = ${raw(`t.${name}`)}`
}

function valueSql({ castType, name }: BoundColumn, row: Row): Query {
  return sql`${textOf(row, name)}::pg_catalog.text::${raw(castType)}`
}

/** Types whose text is read in the same way under all settings; our texts of times are ISO, with their offset. */
const READ_ALIKE = new Set(
  [
    ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bool', 'oid'],
    ['text', 'varchar', 'bpchar', 'name', 'uuid', 'json', 'jsonb', 'bytea'],
    ['date', 'time', 'timetz', 'timestamp', 'timestamptz'],
  ]
    .flat()
    .map((type) => qualified('pg_catalog', type)),
)

/**
 * For columns whose text is read by settings (interval, money, xml, and what may hold them), those settings, while the
 * row is written. Not the others: legacy triggers run under the application's own TimeZone, DateStyle and search_path.
 */
function inputSettings({ model, table }: Binding): readonly Query[] {
  const enums = new Set(table.columns.filter(({ enumLabels }) => enumLabels !== null).map(({ name }) => name))
  if (model.columns.every(({ castType, name }) => READ_ALIKE.has(castType) || enums.has(name))) return []
  return [
    setLocally('IntervalStyle', 'postgres'),
    setLocally('lc_monetary', 'C'),
    setLocally('xmloption', 'content'),
    setLocally('array_nulls', 'on'),
  ]
}

/** JSON text, with each event's data as it is: never parsed. */
function announcement({ model }: Binding, write: RowWrite): string {
  const events = write.events.map(
    ({ type, schemaVersion, data, time }) =>
      `{"type":${JSON.stringify(type)},"schemaVersion":${schemaVersion},"data":${data},"occurredAt":${JSON.stringify(time.utc)}}`,
  )
  const head = `"type":${JSON.stringify(model.name)},"id":${JSON.stringify(write.id)},"metadata":${write.metadata}`
  return `{${head},"events":[${events.join(',')}],"image":${JSON.stringify(write.after)}}`
}

/**
 * What the trigger appended of ours: not the row as it was before, nor what legacy triggers changed on the way. Fails
 * where it's less than was announced.
 */
function appendedQuery({ model, events }: Binding, write: RowWrite): Query {
  const { id, version } = write
  return sql`
    with appended as (
    select e.position, e.version, e.type, e.schema_version, e.data, e.metadata,
      ${raw(textAnywhere(INSTANT, 'e.occurred_at'))} as occurred_at, ${raw(textAnywhere(INSTANT, 'e.recorded_at'))} as recorded_at
    from ${raw(qualified(events.schema, events.table))} as e
    where e.aggregate_type operator(pg_catalog.=) ${raw(literal(model.name))}
      and e.aggregate_id operator(pg_catalog.=) ${id}::pg_catalog.text collate "C"
      and e.version operator(pg_catalog.>) ${String(version)}::pg_catalog.int4
      and e.transaction_id operator(pg_catalog.=) pg_catalog.pg_current_xact_id()
      and (e.metadata operator(pg_catalog.->>) 'source') operator(pg_catalog.=) 'command'
    )
    select a.*
    from (select count(*) as found from appended) as c
    left join appended as a on true
    where eventward.all_appended(c.found, ${String(write.events.length)}::pg_catalog.int4)
    order by a.version`
}

function keyTexts({ model }: Binding, row: Row | null): Readonly<Record<string, string>> {
  return Object.fromEntries(model.key.map((name) => [name, row?.[name] ?? '']))
}

function textOf(row: Row, name: string): Text {
  return row[name] ?? null
}

function list(queries: readonly Query[]): Query {
  return queries.reduce((left, right) => sql`${left}, ${right}`)
}
