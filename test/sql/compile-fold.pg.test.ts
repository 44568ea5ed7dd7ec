import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/db/index.js'
import type { BoundModel, Text } from '../../src/definition/index.js'
import { keyOfStream, streamId } from '../../src/encode/index.js'
import { foldStream, type StoredEvent } from '../../src/fold/index.js'
import { compileFoldStreams, localTimeSql, raw, sql, streamRangeSql } from '../../src/sql/index.js'
import { testDatabase } from '../support/database.js'
import { type FoldCase, foldCase } from './fold-arbitraries.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 200)
const EVENTS = { schema: 'public', table: 'plain_events' }

describe('fold in SQL', () => {
  const db = testDatabase()

  it('gives what fold in TypeScript gives, for any model and any stream', async () => {
    await db.admin.query(`create table public.plain_events (
      aggregate_type text, aggregate_id text collate "C", version integer, type text, schema_version integer,
      data jsonb, occurred_at timestamptz, metadata jsonb)`)
    await db.database.session((session) =>
      fc.assert(
        fc.asyncProperty(foldCase, async (given) => {
          const events = await store(session, given)
          expect(await foldedBySql(session, given.model, events)).toEqual(
            foldedByTypeScript(given.model, events),
          )
        }),
        { numRuns: RUNS },
      ),
    )
  })
})

interface Outcome {
  readonly events: number
  readonly problem: string | null
  readonly row: Readonly<Record<string, Text>> | null
}

/** Stores the streams and gives them back as the server has them: jsonb writes numbers and spaces its own way. */
async function store(session: Session, { model, streams }: FoldCase): Promise<readonly StoredEvent[]> {
  const flat = streams.flatMap((stream, n) => {
    const id = streamId(model.key.map((_, part) => `${n} "${part}"`))
    return stream.map((event) => ({ id, ...event }))
  })
  const texts = (of: (event: (typeof flat)[number]) => string) => flat.map(of)
  await session.execute(sql`delete from public.plain_events`)
  await session.execute(sql`
    insert into public.plain_events
    select ${model.name}::text, n.*
    from unnest(${texts(({ id }) => id)}::text[], ${texts(({ version }) => String(version))}::integer[],
      ${texts(({ type }) => type)}::text[], ${texts(({ schemaVersion }) => String(schemaVersion))}::integer[],
      ${texts(({ data }) => data)}::jsonb[], ${texts(({ occurredAt }) => occurredAt)}::timestamptz[],
      ${texts(({ metadata }) => metadata)}::jsonb[]) as n`)
  const rows = await session.rows<Record<string, string>>(sql`
    select e.aggregate_id, e.version, e.type, e.schema_version, e.data, e.occurred_at, e.metadata,
      ${raw(localTimeSql(model))} as local_time
    from public.plain_events as e
    order by e.aggregate_id, e.version`)
  return rows.map((row) => ({
    aggregateId: row['aggregate_id'] ?? '',
    version: Number(row['version']),
    type: row['type'] ?? '',
    schemaVersion: Number(row['schema_version']),
    data: row['data'] ?? '',
    occurredAt: row['occurred_at'] ?? '',
    localTime: row['local_time'] ?? null,
    metadata: row['metadata'] ?? '{}',
  }))
}

function foldedByTypeScript(model: BoundModel, events: readonly StoredEvent[]): Record<string, Outcome> {
  const ids = [...new Set(events.map(({ aggregateId }) => aggregateId))]
  return Object.fromEntries(
    ids.map((id) => {
      const stream = events.filter(({ aggregateId }) => aggregateId === id)
      const { row, problem } = foldStream(model, stream)
      return [id, { events: stream.length, problem: problem?.kind ?? null, row }]
    }),
  )
}

async function foldedBySql(session: Session, model: BoundModel, events: readonly StoredEvent[]) {
  const rows = await session.rows<Record<string, string>>(
    compileFoldStreams(model, EVENTS, streamRangeSql({ after: null, upTo: null })),
  )
  expect(rows.length).toBe(new Set(events.map(({ aggregateId }) => aggregateId)).size)
  const outcomes: Record<string, Outcome> = {}
  for (const row of rows) {
    const id = row['aggregate_id'] ?? ''
    const effects = row['effects'] ?? ''
    const alive = effects.replace(/[u?]+$/, '').endsWith('c')
    outcomes[id] = {
      events: Number(row['events']),
      problem:
        row['events'] !== row['last_version']
          ? 'version_gap'
          : effects.includes('?')
            ? 'unknown_event'
            : /(^|d)[ud]/.test(effects)
              ? 'not_created'
              : /cu*c/.test(effects)
                ? 'created_twice'
                : null,
      row: alive ? await texts(session, model, id, row['folded'] ?? '{}') : null,
    }
  }
  return outcomes
}

/** `->>` gives each member's text; a boolean's text is the one thing that the type's output writes otherwise. */
async function texts(session: Session, model: BoundModel, id: string, folded: string) {
  const rows = await session.rows<{ name: string; text: string | null }>(
    sql`select key as name, value as text from jsonb_each_text(${folded}::jsonb)`,
  )
  const members = new Map(rows.map(({ name, text }) => [name, text]))
  const key = keyOfStream(id, model.key.length)
  return Object.fromEntries(
    model.columns.map(({ name, encoding }) => {
      const part = model.key.indexOf(name)
      const text = members.has(name) || part === -1 ? (members.get(name) ?? null) : (key?.[part] ?? null)
      const isBoolean = encoding === 'boolean' && (text === 'true' || text === 'false')
      return [name, isBoolean ? text.slice(0, 1) : text]
    }),
  )
}
