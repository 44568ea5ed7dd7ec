import { compileVerifyStreams, streamRangeSql } from '../sql/index.js'
import { inSnapshot } from './in-snapshot.js'
import type { Engine } from './stream-check.js'
import type { DifferenceKind } from './verify-result.js'

/** The set-based engine: the server folds, joins, decodes and compares; only what differs comes back. */
export const sqlEngine: Engine = (source) => async (session, range) => {
  const query = compileVerifyStreams(source, streamRangeSql(range), { one: 'only' in range })
  const row = await inSnapshot(session, source, () =>
    session.one<{ streams: string; events: string; found: string }>(query),
  )
  const found = JSON.parse(row.found) as readonly (readonly [key: string, kind: DifferenceKind])[]
  return {
    rows: 0,
    streams: Number(row.streams),
    events: Number(row.events),
    found: found.map(([key, kind]) => ({ key, kind })),
  }
}
