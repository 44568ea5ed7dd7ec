import type { Session } from '../db/index.js'
import type { RowShape } from '../definition/index.js'
import { sql } from '../sql/index.js'

/** The row shapes under which an aggregate's events were written, and the table's columns as they are. */
export interface StoredNames {
  /** The oldest first. */
  readonly shapes: readonly RowShape[]
  /** Number -> name, of the live table; null where there is no such table. */
  readonly live: ReadonlyMap<number, string> | null
  /** The present name of a column that a row shape (by id; null: the oldest) calls so; null where it was dropped. */
  readonly nameNow: (shape: string | null, name: string) => string | null
}

/** Reads the row shapes of an aggregate, and the columns of its table: generated ones are left out. */
export async function readNames(session: Session, aggregateType: string): Promise<StoredNames> {
  const found = await session.one<{ shapes: string; live: string | null }>(sql`
    select (
        select coalesce(json_agg(json_build_array(s.id, s.columns) order by s.n), '[]')
        from eventward.row_shapes s
        where s.aggregate_type = ${aggregateType}::text
      ) as shapes,
      (
        select json_agg(json_build_array(t.attnum, t.attname))
        from eventward.aggregates a
        join pg_attribute t on t.attrelid = to_regclass(format('%I.%I', a.table_schema, a.table_name))
          and t.attnum > 0
          and not t.attisdropped
          and t.attgenerated = ''
        where a.aggregate_type = ${aggregateType}::text
      ) as live`)
  const shapes = (JSON.parse(found.shapes) as readonly StoredShape[]).map(
    ([id, columns]): RowShape => ({
      id,
      columns: columns.map(([attnum, name, type]) => ({ attnum, name, type })),
    }),
  )
  const live =
    found.live === null ? null : new Map(JSON.parse(found.live) as readonly (readonly [number, string])[])
  return { shapes, live, nameNow: (id, name) => nameNow({ shapes, live }, id, name) }
}

type StoredShape = readonly [id: string, columns: readonly (readonly [number, string, string])[]]

/** A name that the shape doesn't have is nobody's: it stays. */
function nameNow(
  { shapes, live }: Pick<StoredNames, 'shapes' | 'live'>,
  id: string | null,
  name: string,
): string | null {
  const shape = shapes.find((one) => one.id === id) ?? shapes[0]
  const column = shape?.columns.find((one) => one.name === name)
  if (column === undefined || live === null) return name
  return live.get(column.attnum) ?? null
}
