import type { Session } from '../db/index.js'
import { compileVerifyRows, keyRange } from '../sql/index.js'
import { inSnapshot, type VerifiedTable } from './in-snapshot.js'
import type { Checked } from './stream-check.js'

/** Rows whose keys lie in (after, upTo], by the key's own order; null is no border. */
export interface KeyRange {
  readonly after: readonly string[] | null
  readonly upTo: readonly string[] | null
}

/** The pass over rows: counts those of a range and finds the ones without any event. Both engines share it. */
export async function checkRows(
  session: Session,
  source: VerifiedTable,
  { after, upTo }: KeyRange,
): Promise<Checked> {
  const query = compileVerifyRows(source, keyRange(source.key, 't', after, upTo))
  const row = await inSnapshot(session, source, () => session.one<{ rows: string; found: string }>(query))
  const ids = JSON.parse(row.found) as readonly string[]
  return {
    rows: Number(row.rows),
    streams: 0,
    events: 0,
    found: ids.map((id) => ({ key: id, kind: 'missing_stream' })),
  }
}
