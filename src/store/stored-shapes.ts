import type { Session } from '../db/index.js'
import type { EventShape, RowHistory } from '../definition/index.js'
import { sql } from '../sql/index.js'
import { parseShape } from './shape-json.js'
import { readNames, type StoredNames } from './stored-names.js'

/** How an aggregate's stored events are to be read: what `bindAggregate` takes beside the definition. */
export interface StoredShapes {
  /** What each stored (type, schema_version) means, in the present names of columns. */
  readonly frozen: readonly EventShape[]
  /** Null where the columns never moved. */
  readonly history: RowHistory | null
}

/** The column of an attribute whose own was dropped: none has that name. */
export const DROPPED = ''

/** Reads what was registered of an aggregate. Takes no lock. */
export async function storedShapes(session: Session, aggregateType: string): Promise<StoredShapes> {
  const names = await readNames(session, aggregateType)
  const rows = await session.rows<ShapeRow>(sql`
    select type, schema_version::text as schema_version, effect, shape::text as shape, row_shape
    from eventward.definitions
    where aggregate_type = ${aggregateType}::text
    order by id`)
  const frozen = rows.map((row) => {
    const { type, schema_version: schemaVersion, effect, shape: json, row_shape: rowShape } = row
    return inPresentNames(parseShape({ type, schemaVersion, effect, json }), (name) =>
      names.nameNow(rowShape, name),
    )
  })
  return { frozen, history: await historyOf(session, aggregateType, names) }
}

type ShapeRow = Readonly<Record<'type' | 'schema_version' | 'effect' | 'shape', string>> & {
  readonly row_shape: string | null
}

/** A dropped column is set no more; the attribute that carried it stays one, so that nobody takes it for residue. */
function inPresentNames(shape: EventShape, now: (name: string) => string | null): EventShape {
  return {
    ...shape,
    data: shape.data.map(({ attribute, column }) => ({ attribute, column: now(column) ?? DROPPED })),
    constants: shape.constants.flatMap(({ column, value }) => {
      const name = now(column)
      return name === null ? [] : [{ column: name, value }]
    }),
    bound: shape.bound.flatMap((column) => now(column) ?? []),
  }
}

async function historyOf(
  session: Session,
  aggregateType: string,
  { shapes, live }: StoredNames,
): Promise<RowHistory | null> {
  if (live === null || shapes.length === 0) return null
  const epochs = await session.rows<{ kind: string; attnum: string; after: string | null }>(sql`
    select kind, attnum, after
    from eventward.epochs
    where aggregate_type = ${aggregateType}::text`)
  const present = namesText(live)
  const never = shapes.every(
    ({ columns }) => namesText(new Map(columns.map(({ attnum, name }) => [attnum, name]))) === present,
  )
  if (never && epochs.length === 0) return null
  return {
    shapes,
    added: epochs
      .filter(({ kind }) => kind === 'added')
      .map(({ attnum, after }) => ({ attnum: Number(attnum), text: after })),
  }
}

function namesText(names: ReadonlyMap<number, string>): string {
  return JSON.stringify([...names].sort(([a], [b]) => a - b))
}
