import { randomUUID } from 'node:crypto'
import type { Session } from '../db/index.js'
import { type BoundModel, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import { restoredSql } from '../log/index.js'
import { readEnvironment } from '../migrate/index.js'
import { type EventsName, qualified, raw, sql } from '../sql/index.js'
import { partitionOf, toolVersion } from '../store/index.js'
import type { ExportedAggregate, ExportedDefinition, ExportHeader } from './export-header.js'

/**
 * What an export begins with, but for its masks. Call it in one REPEATABLE READ transaction: one snapshot sees all.
 */
export async function readHeader(
  session: Session,
  events: EventsName,
  models: readonly BoundModel[],
  since: ExportHeader['since'],
): Promise<Omit<ExportHeader, 'masks'>> {
  const names = models.map(({ name }) => name)
  const { snapshot, up_to, restored, taken_at } = await session.one<
    Record<'snapshot' | 'up_to' | 'restored' | 'taken_at', string>
  >(sql`
    select pg_current_snapshot() as snapshot,
      clock_timestamp() as taken_at,
      ${restoredSql(events)} as restored,
      coalesce((
        select max(e.position)
        from ${raw(qualified(events.schema, events.table))} e
        where e.aggregate_type = any (${names}::text[])
      ), 0) as up_to`)
  const aggregates: ExportedAggregate[] = []
  for (const model of models) aggregates.push(await readAggregate(session, events, model))
  return {
    eventward: 'export',
    format: 1,
    export: randomUUID(),
    tool: toolVersion(),
    takenAt: taken_at,
    source: await readSource(session),
    snapshot,
    upTo: up_to,
    restored,
    since,
    aggregates,
  }
}

/** Which database this is. */
export async function readSource(session: Session): Promise<ExportHeader['source']> {
  const { database, identity, version } = await session.one<
    Record<'database' | 'identity' | 'version', string>
  >(sql`
    select d.datname as database, c.system_identifier::text || '/' || d.oid::text as identity,
      current_setting('server_version') as version
    from pg_control_system() c
    cross join pg_database d
    where d.datname = current_database()`)
  return { database, version, identity, label: await readEnvironment(session) }
}

async function readAggregate(
  session: Session,
  events: EventsName,
  model: BoundModel,
): Promise<ExportedAggregate> {
  // Names, numbers of columns, and texts: no stored value stands in them as a number.
  const { installed, definitions, shapes, epochs } = await session.one<
    Record<'definitions' | 'shapes' | 'epochs', string> & { readonly installed: string | null }
  >(sql`
    select (
        select json_build_object('definition', a.definition, 'hash', a.hash, 'rowShape', a.row_shape)
        from eventward.aggregates a
        where a.aggregate_type = ${model.name}::text
      ) as installed,
      (
        select coalesce(json_agg(json_build_object('type', d.type, 'schemaVersion', d.schema_version, 'effect', d.effect,
          'hash', d.hash, 'rowShape', d.row_shape, 'shape', d.shape) order by d.id), '[]')
        from eventward.definitions d
        where d.aggregate_type = ${model.name}::text
      ) as definitions,
      (
        select coalesce(json_agg(json_build_array(s.id, s.columns) order by s.n), '[]')
        from eventward.row_shapes s
        where s.aggregate_type = ${model.name}::text
      ) as shapes,
      (
        select coalesce(json_agg(json_build_object('kind', p.kind, 'attnum', p.attnum, 'name', p.name,
          'before', p.before, 'after', p.after) order by p.id), '[]')
        from eventward.epochs p
        where p.aggregate_type = ${model.name}::text
      ) as epochs`)
  if (installed === null) throw neverInstalled(model)
  return {
    name: model.name,
    schema: model.schema,
    table: model.table,
    key: model.key,
    partition: (await partitionOf(session, events, model.name))?.oid ?? null,
    installed: JSON.parse(installed) as ExportedAggregate['installed'],
    columns: model.columns.map(({ attnum, name, declaredType: type }) => ({ attnum, name, type })),
    definitions: JSON.parse(definitions) as readonly ExportedDefinition[],
    rowShapes: (JSON.parse(shapes) as readonly StoredShape[]).map(([id, columns]) => ({
      id,
      columns: columns.map(([attnum, name, type]) => ({ attnum, name, type })),
    })),
    epochs: JSON.parse(epochs) as ExportedAggregate['epochs'],
  }
}

function neverInstalled(model: BoundModel): UsageError {
  const table = tableName({ schema: model.schema, name: model.table })
  return new UsageError(
    'EW_EXPORT_NOTHING',
    `${table} has no events, and no definition of any is installed`,
    {
      next: `Run \`eventward backfill ${shellWord(table)}\` first, or name the others: --aggregates.`,
      details: { table, aggregate: model.name },
    },
  )
}

type StoredShape = readonly [id: string, columns: readonly (readonly [number, string, string])[]]
