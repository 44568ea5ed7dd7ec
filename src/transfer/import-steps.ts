import type { Session } from '../db/index.js'
import { type BoundModel, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import { qualified, raw, sql, typedKey } from '../sql/index.js'
import { ensurePartition, finishRun } from '../store/index.js'
import { appendLines, refuseStopped } from './append-lines.js'
import { columnNumbers } from './column-numbers.js'
import { fillRows } from './fill-rows.js'
import type { ImportOptions, ImportProgress } from './import-events.js'
import { holdRun, type ImportCursor, type ImportRun, moveOn } from './import-run.js'
import type { ImportTarget } from './import-target.js'
import { moveSequences } from './move-sequences.js'
import { importedModel } from './register-header.js'
import type { TableOrder } from './table-order.js'

export interface Working {
  readonly session: Session
  readonly events: EventsTable
  readonly run: ImportRun
  readonly targets: readonly ImportTarget[]
  readonly order: TableOrder
  readonly path: string
  /** Events of the file. */
  readonly total: number
  readonly options: ImportOptions
}

export type Step = Pick<ImportCursor, 'phase' | 'aggregate'>

/** The steps of an import, on from where its cursor is. */
export async function takeSteps(input: Working): Promise<void> {
  const { run, order } = input
  const later = new Set(order.later.map(({ from }) => from))
  const steps: readonly Step[] = [
    { phase: 'events', aggregate: null },
    ...order.tables.map((aggregate) => ({ phase: 'rows' as const, aggregate })),
    ...order.tables.flatMap((aggregate) =>
      later.has(aggregate) ? [{ phase: 'links' as const, aggregate }] : [],
    ),
    { phase: 'sequences', aggregate: null },
  ]
  const at = steps.findIndex(
    ({ phase, aggregate }) => phase === run.cursor.phase && aggregate === run.cursor.aggregate,
  )
  const left = steps.slice(Math.max(at, 0))
  for (const [place, step] of left.entries()) {
    refuseStopped(input.options.signal)
    await take(input, step, left[place + 1])
  }
}

async function take(input: Working, { phase, aggregate }: Step, next: Step | undefined): Promise<void> {
  if (phase === 'events' && next !== undefined) return takeEvents(input, next)
  if (aggregate !== null && next !== undefined) return takeRows(input, aggregate, next)
  await takeSequences(input)
}

async function takeEvents(input: Working, next: Step): Promise<void> {
  const { session, events, run, targets, options } = input
  for (const { definition } of targets)
    await ensurePartition(session, events, definition.name, tableName(definition.table))
  await appendLines(session, {
    events,
    file: input.path,
    run,
    numbers: new Map(
      targets.map(({ definition, exported, table }) => [
        definition.name,
        columnNumbers(exported.columns, table.columns),
      ]),
    ),
    lines: options.pageSize ?? 2_000,
    signal: options.signal,
    onMoved: () =>
      options.onProgress?.({
        step: 'events',
        table: null,
        done: run.cursor.events,
        total: String(input.total),
      }),
  })
  const to: ImportCursor = { ...run.cursor, ...next, stream: null }
  await session.transaction({}, async () => {
    await holdRun(session, run)
    await moveOn(session, run, to)
  })
  run.cursor = to
}

async function takeRows(input: Working, aggregate: string, next: Step): Promise<void> {
  const { session, events, run, order, options } = input
  const { model, table } = await bound(input, aggregate)
  const step = run.cursor.phase === 'links' ? 'links' : 'rows'
  await analyze(input, model)
  const { total } = await session.one<{ total: string }>(sql`
    select count(*) as total
    from ${raw(qualified(events.schema, events.table))}
    where aggregate_type = ${aggregate}::text
      and version = 1`)
  let streams = 0n
  const report = (progress: Pick<ImportProgress, 'done'>) =>
    options.onProgress?.({
      step,
      table: tableName({ schema: model.schema, name: model.table }),
      total,
      ...progress,
    })
  await fillRows(session, {
    events,
    run,
    model,
    key: typedKey(model, table.key?.columns ?? []),
    later: order.later.filter(({ from }) => from === aggregate).flatMap(({ nullable }) => nullable),
    next,
    pageEvents: options.pageSize ?? 10_000,
    signal: options.signal,
    onMoved: (moved) => {
      streams += BigInt(moved)
      report({ done: String(streams) })
    },
  })
}

/** An events partition that was filled in one go is unknown to the planner. */
async function analyze({ session, events }: Working, model: BoundModel): Promise<void> {
  const name = await ensurePartition(session, events, model.name, model.table)
  await session.execute(sql`analyze ${raw(name)}`)
}

async function takeSequences(input: Working): Promise<void> {
  const { session, events, run, targets } = input
  for (const { definition } of targets)
    await moveSequences(session, events, (await bound(input, definition.name)).model)
  await session.transaction({}, async () => {
    await holdRun(session, run)
    await finishRun(session, run.id, 'complete', { events: run.cursor.events, rows: run.cursor.rows })
  })
}

function bound({ session, targets }: Working, aggregate: string) {
  const target = targets.find(({ definition }) => definition.name === aggregate)
  if (target === undefined) throw new UsageError('EW_IMPORT_AGGREGATE', `${aggregate} is not of this export`)
  return importedModel(session, target.definition)
}
