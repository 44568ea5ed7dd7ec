import { bindAggregate } from '../bind/index.js'
import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { storedShapes } from '../store/index.js'
import type { VerifiedTable } from './in-snapshot.js'

/** What a verify reads, as it becomes known. */
export interface LiveSource {
  readonly current: VerifiedTable
  /**
   * Looks whether shapes of events were registered since: during a rolling deploy, others write under a definition that
   * is newer than ours. True where there are more of them than `used` knows.
   */
  readonly refresh: (session: Session, used: VerifiedTable) => Promise<boolean>
}

/** Starts with what was bound. Shared by workers. */
export function liveSource(definition: AggregateDefinition, bound: VerifiedTable): LiveSource {
  let current = bound
  return {
    get current() {
      return current
    },
    refresh: async (session, used) => {
      if (current !== used) return true
      const known = new Set(used.model.shapes.map(versionOf))
      const stored = await storedShapes(session, definition.name)
      if (stored.frozen.every((shape) => known.has(versionOf(shape)))) return false
      const { model } = await bindAggregate(session, definition, stored)
      current = { ...used, model }
      return true
    },
  }
}

function versionOf({
  type,
  schemaVersion,
}: {
  readonly type: string
  readonly schemaVersion: number
}): string {
  return JSON.stringify([type, schemaVersion])
}
