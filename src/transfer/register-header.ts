import { type BoundAggregate, bindAggregate, shapeColumns, shapeId } from '../bind/index.js'
import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import type { AggregateDefinition, BoundModel } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { storedShapes, unregisteredShapes } from '../store/index.js'
import { columnNumbers, renumbered } from './column-numbers.js'
import type { ExportedAggregate } from './export-header.js'
import type { ImportTarget } from './import-target.js'

/** Notes what events meant where they come from, by the numbers that columns have here. In the caller's transaction. */
export async function registerHeader(session: Session, targets: readonly ImportTarget[]): Promise<void> {
  for (const { exported, table } of targets) {
    const here = renumbered(exported, columnNumbers(exported.columns, table.columns))
    await registerAggregate(session, here, table)
    for (const { id, columns } of here.rowShapes) {
      await session.execute(sql`
        insert into eventward.row_shapes (aggregate_type, id, columns)
        values (${here.name}::text, ${id}::text,
          ${JSON.stringify(columns.map(({ attnum, name, type }) => [attnum, name, type]))}::jsonb)`)
    }
    for (const { type, schemaVersion, effect, shape, hash, rowShape } of here.definitions) {
      await session.execute(sql`
        insert into eventward.definitions (aggregate_type, type, schema_version, effect, shape, hash, row_shape)
        values (${here.name}::text, ${type}::text, ${String(schemaVersion)}::integer, ${effect}::text,
          ${JSON.stringify(shape)}::jsonb, ${hash}::text, ${rowShape}::text)`)
    }
    for (const { kind, attnum, name, before, after } of here.epochs) {
      await session.execute(sql`
        insert into eventward.epochs (aggregate_type, kind, attnum, name, before, after)
        values (${here.name}::text, ${kind}::text, ${String(attnum)}::smallint, ${name}::text, ${before}::text,
          ${after}::text)`)
    }
  }
}

async function registerAggregate(
  session: Session,
  { name, installed }: ExportedAggregate,
  table: CatalogTable,
): Promise<void> {
  await session.execute(sql`
    insert into eventward.aggregates (aggregate_type, table_schema, table_name, definition, hash, row_shape)
    values (${name}::text, ${table.schema}::text, ${table.name}::text,
      ${JSON.stringify(installed.definition)}::jsonb, ${installed.hash}::text, ${installed.rowShape}::text)`)
}

/**
 * The model by which imported events are folded: this code's definition, with all that was registered.
 *
 * @throws UsageError EW_IMPORT_DEFINITION where this code means something else by an event that the export may hold,
 * EW_IMPORT_SHAPE
 */
export async function importedModel(
  session: Session,
  definition: AggregateDefinition,
): Promise<BoundAggregate> {
  const stored = await storedShapes(session, definition.name)
  const bound = await bindAggregate(session, definition, stored)
  const { model } = bound
  const moved = unregisteredShapes(model, stored.frozen).find(({ type, schemaVersion }) =>
    stored.frozen.some((shape) => shape.type === type && shape.schemaVersion === schemaVersion),
  )
  if (moved !== undefined)
    throw new UsageError(
      'EW_IMPORT_DEFINITION',
      `${model.name}.${moved.type}, schema version ${moved.schemaVersion}, means something else in this code than in the export`,
      { next: 'Import by the code that wrote the events, or raise its schemaVersion.' },
    )
  await refuseTakenShape(session, model)
  return bound
}

/** A table that once had the very columns, by number, name and type, that another shape has here. */
async function refuseTakenShape(session: Session, model: BoundModel): Promise<void> {
  const [taken] = await session.rows<{ columns: string }>(sql`
    select s.columns::text as columns
    from eventward.row_shapes s
    where s.aggregate_type = ${model.name}::text
      and s.id = ${shapeId(model)}::text
      and s.columns <> ${shapeColumns(model)}::jsonb`)
  if (taken === undefined) return
  throw new UsageError(
    'EW_IMPORT_SHAPE',
    `${model.schema}.${model.table}: its columns here have the numbers of an older shape of the exported table, which meant others`,
    { next: 'Make the table with another column that is dropped at once: then the numbers differ.' },
  )
}
