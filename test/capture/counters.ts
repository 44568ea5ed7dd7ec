import type pg from 'pg'
import { expect } from 'vitest'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { ident } from '../../src/sql/index.js'
import { verify } from '../../src/verify/index.js'
import type { TestDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

interface CountersRow {
  id: string
  a: number | null
  b: number | null
  note: string | null
}

/** `a` and `b` are explained by no event; `note` by one, alone. */
export const COUNTERS = '(id bigint primary key, a integer, b integer, note text)'

/** A table of counters of its own, for a test that spoils it. */
export interface Counters {
  readonly name: string
  /** Name of the aggregate. */
  readonly type: string
  readonly definition: AggregateDefinition
  /** The events of a stream: `Created {"a": 1}`. */
  stream(id: string): Promise<readonly string[]>
  /** Both engines find each row to be the fold of its events, nothing missing, nothing incomplete. */
  expectProven(): Promise<void>
  /** What status says is wrong with capture. */
  problems(): Promise<readonly string[]>
}

/** Describes the table `public.name`; it's made by the test. */
export function counters(db: TestDatabase, name: string): Counters {
  const type = `Counter ${name}`
  const table = defineTable<CountersRow>()({
    schema: 'public',
    name,
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false },
      a: { type: 'integer', nullable: true },
      b: { type: 'integer', nullable: true },
      note: { type: 'text', nullable: true },
    },
  })
  const definition = defineAggregate({
    name: type,
    table,
    events: { Created: { creates: true, data: ['a', 'b'] }, Noted: { data: ['note'] } },
  })
  return {
    name,
    type,
    definition,
    stream: (id) => streamOf(db.admin, type, id),
    problems: () => problemsOf(db.admin, type),
    expectProven: () => expectProven(db, definition),
  }
}

/** The same, the table made and captured. */
export async function capturedCounters(
  db: TestDatabase,
  name: string,
  options: {
    /** @default COUNTERS */
    readonly columns?: string
    /** SQL that runs before capture: rows, legacy triggers. */
    readonly before?: string
  } = {},
): Promise<Counters> {
  const made = counters(db, name)
  await db.admin.query(
    `create table public.${ident(name)} ${options.columns ?? COUNTERS}; ${options.before ?? ''}`,
  )
  await installCapture(db.database, made.definition)
  return made
}

/** The events of a stream: type and data. */
export async function streamOf(admin: pg.Client, type: string, id: string): Promise<readonly string[]> {
  const { rows } = await admin.query<Record<'type' | 'data', string>>(
    'select type, data::text as data from public.events where aggregate_type = $1 and aggregate_id = $2 order by version',
    [type, id],
  )
  return rows.map(({ type: event, data }) => `${event} ${data}`)
}

/** What status says is wrong with the capture of an aggregate. */
export async function problemsOf(admin: pg.Client, type: string): Promise<readonly string[]> {
  const { rows } = await admin.query<Record<'problem' | 'detail', string>>(
    'select problem, detail from eventward.capture_problems($1)',
    [type],
  )
  return rows.map(({ problem, detail }) => [problem, detail].filter((part) => part !== null).join(' '))
}

/** Both engines, versions without gaps, and no write that could not be stored. */
export async function expectProven(db: TestDatabase, definition: AggregateDefinition): Promise<void> {
  for (const engine of ['sql', 'replay'] as const) {
    const { differences } = await verify(db.database, definition, { engine })
    expect({ engine, differences }).toEqual({ engine, differences: [] })
  }
  const { rows: gaps } = await db.admin.query(
    `select aggregate_id from public.events where aggregate_type = $1
     group by 1 having max(version) <> count(*) or min(version) <> 1`,
    [definition.name],
  )
  const { rows: incomplete } = await db.admin.query(
    'select aggregate_id, reason from eventward.incomplete where aggregate_type = $1 and resolved_at is null',
    [definition.name],
  )
  expect({ gaps, incomplete }).toEqual({ gaps: [], incomplete: [] })
}
