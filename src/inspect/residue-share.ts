import type { EventsTable } from '../config/index.js'
import type { Session } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { partitionOf } from '../store/index.js'

/** Pages of a partition that are looked at: some 8 MB, so that `status` stays quick however many events there are. */
const SAMPLE_PAGES = 1_000

/** Of an aggregate's streams, what share needed a residue event at its creation or later; null where there are none. */
export async function residueShare(
  session: Session,
  events: EventsTable,
  { name, residue }: Pick<AggregateDefinition, 'name' | 'residue'>,
): Promise<number | null> {
  const partition = await partitionOf(session, events, name)
  if (partition === null) return null
  const { pages } = await session.one<{ pages: string }>(sql`
    select pg_relation_size(${partition.oid}::oid) / current_setting('block_size')::bigint as pages`)
  const share = Math.min(100, (SAMPLE_PAGES * 100) / Math.max(1, Number(pages)))
  const { streams, changed } = await session.one<{ streams: string; changed: string }>(sql`
    select count(*) filter (where version = 1) as streams,
      count(*) filter (where type = ${residue.changed}::text) as changed
    from ${raw(qualified(partition.schema, partition.table))} tablesample system (${share.toFixed(6)}::float4) repeatable (1)`)
  return streams === '0' ? null : Math.min(1, Number(changed) / Number(streams))
}
