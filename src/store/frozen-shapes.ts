import type { Session } from '../db/index.js'
import type { EventShape } from '../definition/index.js'
import { sql } from '../sql/index.js'
import { parseShape } from './shape-json.js'

/** What each stored (type, schema_version) of an aggregate means: the `frozen` option of `bindAggregate`. */
export async function frozenShapes(session: Session, aggregateType: string): Promise<readonly EventShape[]> {
  const rows = await session.rows<ShapeRow>(sql`
    select type, schema_version::text as schema_version, effect, shape::text as shape
    from eventward.definitions
    where aggregate_type = ${aggregateType}::text
    order by id`)
  return rows.map((row) =>
    parseShape({ type: row.type, schemaVersion: row.schema_version, effect: row.effect, json: row.shape }),
  )
}

type ShapeRow = Readonly<Record<'type' | 'schema_version' | 'effect' | 'shape', string>>
