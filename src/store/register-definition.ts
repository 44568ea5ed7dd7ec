import { shapeColumns, shapeId } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { type BoundModel, type EventShape, tableName } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { lockDefinition } from './definition-lock.js'
import { frozenShapes } from './frozen-shapes.js'
import { refusePendingRestart } from './pending-restart.js'
import { writtenShapes } from './registered-shapes.js'
import { shapeChanges, shapeHash, shapeJson } from './shape-json.js'
import { readNames } from './stored-names.js'
import { DROPPED } from './stored-shapes.js'

/**
 * Installs a definition: freezes what each (type, schema_version) of the model means, and notes the definition as the
 * aggregate's present one. A shape may be replaced until one event of it is stored. One transaction, under an advisory
 * lock that waits out whoever writes events of this aggregate; nothing is changed where it refuses.
 *
 * @throws UsageError EW_DEFINITION_CHANGED where stored events would come to mean something else, EW_RESTART_PENDING;
 * DatabaseError EW_BUSY.
 */
export async function registerDefinition(
  session: Session,
  model: BoundModel,
  events: EventsTable,
): Promise<void> {
  await session.transaction({}, () => installDefinition(session, model, events))
}

/**
 * As `registerDefinition`, within the caller's transaction, which holds the definition's lock from here to its end.
 *
 * @throws as `registerDefinition`
 */
export async function installDefinition(
  session: Session,
  model: BoundModel,
  events: EventsTable,
): Promise<void> {
  await lockDefinition(session, model, 'exclusive')
  await refusePendingRestart(session, model)
  await refuseChangedDefinition(session, model, events)
  await install(session, model)
}

/** The check of `registerDefinition` alone: reads only. */
export async function refuseChangedDefinition(
  session: Session,
  model: BoundModel,
  events: EventsTable,
): Promise<void> {
  await refuseTaken(session, model, events)
  await refuseMoved(session, model, events)
  await refuseChanged(session, model, events)
}

/**
 * Forgets what an aggregate's events mean, within the caller's transaction; gives what was forgotten, as JSON text, for
 * the receipt. Only for an aggregate whose events were archived.
 *
 * @throws GateError EW_EVENTS_WRITTEN where events of it are in the events table: nothing would say what they mean.
 */
export async function forgetDefinition(
  session: Session,
  aggregateType: string,
  events: EventsTable,
): Promise<string> {
  if (await hasEvents(session, aggregateType, events)) throw eventsWritten(aggregateType)
  const { forgotten } = await session.one<{ forgotten: string }>(sql`
    with gone as (
      delete from eventward.definitions
      where aggregate_type = ${aggregateType}::text
      returning type, schema_version, effect, shape
    )
    select coalesce(jsonb_agg(to_jsonb(gone)), '[]'::jsonb)::text as forgotten
    from gone`)
  await session.execute(sql`delete from eventward.aggregates where aggregate_type = ${aggregateType}::text`)
  await session.execute(sql`delete from eventward.row_shapes where aggregate_type = ${aggregateType}::text`)
  await session.execute(sql`delete from eventward.epochs where aggregate_type = ${aggregateType}::text`)
  return forgotten
}

/**
 * What is declared now, in the names that columns have now; what is but frozen stays as it was stored. The row shape
 * says in whose names: see `storedShapes`.
 */
async function install(session: Session, model: BoundModel): Promise<void> {
  const rowShape = shapeId(model)
  await session.execute(sql`
    insert into eventward.row_shapes (aggregate_type, id, columns)
    values (${model.name}::text, ${rowShape}::text, ${shapeColumns(model)}::jsonb)
    on conflict do nothing`)
  for (const shape of writtenShapes(model)) {
    await session.execute(sql`
      insert into eventward.definitions (aggregate_type, type, schema_version, effect, shape, hash, row_shape)
      values (${model.name}::text, ${shape.type}::text, ${String(shape.schemaVersion)}::integer,
        ${shape.effect}::text, ${shapeJson(shape)}::jsonb, ${shapeHash(shape)}::text, ${rowShape}::text)
      on conflict (aggregate_type, type, schema_version) do update
      set effect = excluded.effect, shape = excluded.shape, hash = excluded.hash, row_shape = excluded.row_shape,
        installed_at = clock_timestamp()
      where definitions.hash <> excluded.hash
        or definitions.row_shape is distinct from excluded.row_shape`)
  }
  await session.execute(sql`
    insert into eventward.aggregates (aggregate_type, table_schema, table_name, definition, hash, row_shape)
    values (${model.name}::text, ${model.schema}::text, ${model.table}::text,
      ${definitionJson(model)}::jsonb, ${model.hash}::text, ${rowShape}::text)
    on conflict (aggregate_type) do update
    set table_schema = excluded.table_schema, table_name = excluded.table_name, row_shape = excluded.row_shape,
      definition = excluded.definition, hash = excluded.hash, installed_at = clock_timestamp()
    where aggregates.hash <> excluded.hash
      or aggregates.row_shape is distinct from excluded.row_shape`)
}

/** A table whose rows have streams of another type already would get each of them twice. */
async function refuseTaken(session: Session, model: BoundModel, events: EventsTable): Promise<void> {
  const others = await session.rows<{ aggregate_type: string }>(sql`
    select aggregate_type
    from eventward.aggregates
    where table_schema = ${model.schema}::text
      and table_name = ${model.table}::text
      and aggregate_type <> ${model.name}::text`)
  for (const { aggregate_type: other } of others) {
    if (!(await hasEvents(session, other, events))) continue
    throw new UsageError(
      'EW_DEFINITION_RENAMED',
      `the events of ${model.schema}.${model.table} are of type ${other}, the definition is named ${model.name}: nothing was changed`,
      { next: `Name it ${other} again.`, details: { aggregate: model.name, stored: other } },
    )
  }
}

/** What every shape is read with: the key makes the stream's id, the zone gives bound columns their text. */
async function refuseMoved(session: Session, model: BoundModel, events: EventsTable): Promise<void> {
  const [stored] = await session.rows<
    Record<'table_schema' | 'table_name' | 'key' | 'zone', string> & { readonly row_shape: string | null }
  >(sql`
    select table_schema, table_name, definition ->> 'key' as key, definition ->> 'timeZone' as zone, row_shape
    from eventward.aggregates
    where aggregate_type = ${model.name}::text`)
  if (stored === undefined) return
  const { nameNow } = await readNames(session, model.name)
  const key = (JSON.parse(stored.key) as readonly string[])
    .map((name) => nameNow(stored.row_shape, name) ?? name)
    .join(', ')
  const changes = [
    ...changed('table', `${stored.table_schema}.${stored.table_name}`, `${model.schema}.${model.table}`),
    ...changed('key', key, model.key.join(', ')),
    ...changed('timeZone', stored.zone, model.timeZone),
  ]
  if (changes.length === 0 || !(await hasEvents(session, model.name, events))) return
  throw changedDefinition(model, model.name, changes, 'Give it back')
}

async function refuseChanged(session: Session, model: BoundModel, events: EventsTable): Promise<void> {
  const stored = new Map(
    (await frozenShapes(session, model.name)).map((shape) => [versionOf(shape), shape] as const),
  )
  for (const shape of model.shapes) {
    const frozen = stored.get(versionOf(shape))
    if (frozen === undefined || shapeHash(withoutDropped(frozen)) === shapeHash(withoutDropped(shape)))
      continue
    if (!(await hasEvents(session, model.name, events, shape))) continue
    const where = `${model.name}.${shape.type}, schema version ${shape.schemaVersion}`
    const remedy =
      `Raise its schemaVersion to ${shape.schemaVersion + 1}, ` +
      `with upcast: { ${shape.schemaVersion}: { ... } } that says what the stored ones are read as`
    throw changedDefinition(model, where, shapeChanges(frozen, shape), remedy, shape.type)
  }
}

/** A scan of the partition that ends at the first event found. Asked only where something has changed. */
async function hasEvents(
  session: Session,
  aggregateType: string,
  events: EventsTable,
  shape?: EventShape,
): Promise<boolean> {
  const ofShape =
    shape === undefined
      ? sql``
      : sql`and type = ${shape.type}::text and schema_version = ${String(shape.schemaVersion)}::integer`
  const { found } = await session.one<{ found: string }>(sql`
    select exists (
      select
      from ${raw(qualified(events.schema, events.table))}
      where aggregate_type = ${aggregateType}::text
        ${ofShape}
    ) as found`)
  return found === 't'
}

/** A column that is gone means nothing any more: to leave it out of a definition changes no event's meaning. */
function withoutDropped(shape: EventShape): EventShape {
  return { ...shape, data: shape.data.filter(({ column }) => column !== DROPPED) }
}

function eventsWritten(aggregateType: string): GateError {
  return new GateError(
    'EW_EVENTS_WRITTEN',
    `${aggregateType}: events were written while its partition was being archived; its definition is kept`,
    {
      next: 'Run the backfill with --restart again: it archives these as well.',
      details: { aggregate: aggregateType },
    },
  )
}

function changedDefinition(
  model: BoundModel,
  where: string,
  changes: readonly string[],
  remedy: string,
  event: string | null = null,
): UsageError {
  const table = tableName({ schema: model.schema, name: model.table })
  return new UsageError(
    'EW_DEFINITION_CHANGED',
    `${where} has events already and would mean something else (${changes.join('; ')}): nothing was changed`,
    {
      next: `${remedy}, or write the table's events anew: \`eventward backfill ${shellWord(table)} --restart --confirm ${shellWord(table)}\`.`,
      details: { aggregate: model.name, table, event, changes },
    },
  )
}

function changed(what: string, was: string, is: string): readonly string[] {
  return was === is ? [] : [`${what}: ${was} -> ${is}`]
}

function versionOf({ type, schemaVersion }: EventShape): string {
  return JSON.stringify([type, schemaVersion])
}

/** The definition as it is bound, for receipts and for readers without TypeScript. */
function definitionJson({
  columns: _columns,
  shapes: _shapes,
  history: _history,
  applies: _applies,
  upcasts: _upcasts,
  ...meaning
}: BoundModel): string {
  return JSON.stringify(meaning)
}
