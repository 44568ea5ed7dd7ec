import type { Session } from '../db/index.js'
import type { EventShape } from '../definition/index.js'
import { storedShapes } from './stored-shapes.js'

/**
 * What each stored (type, schema_version) of an aggregate means, in the present names of columns: for whoever writes
 * events. Whoever folds stored ones needs all of `storedShapes`.
 */
export async function frozenShapes(session: Session, aggregateType: string): Promise<readonly EventShape[]> {
  return (await storedShapes(session, aggregateType)).frozen
}
