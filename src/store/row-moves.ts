import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import { readNames } from './stored-names.js'

/**
 * What became of a column since events were written:
 *
 * - `added`: no event of an older shape speaks of it; rows that were there before hold what its default was;
 * - `renamed`: `before` and `after` are names;
 * - `dropped`: what events say of it is nobody's;
 * - `retyped`: `before` and `after` are types.
 */
export interface RowMove {
  readonly kind: 'added' | 'renamed' | 'dropped' | 'retyped'
  readonly attnum: number
  /** The present name; of a dropped column the last known one. */
  readonly column: string
  readonly before: string | null
  readonly after: string | null
}

/** A column of the live table, as the catalog has it. */
export interface LiveColumn {
  readonly attnum: number
  readonly name: string
  /** As `format_type` writes it. */
  readonly type: string
}

/**
 * How a table's columns differ from the row shapes under which its events were written, as far as that was not adopted.
 * In order of the columns' numbers. `columns`: the stored ones, without generated ones. Takes no lock.
 */
export async function pendingMoves(
  session: Session,
  aggregateType: string,
  columns: readonly LiveColumn[],
): Promise<readonly RowMove[]> {
  const { shapes } = await readNames(session, aggregateType)
  const live = new Map(columns.map((column) => [column.attnum, column]))
  const moves = shapes.flatMap((shape): readonly RowMove[] => {
    const then = new Set(shape.columns.map(({ attnum }) => attnum))
    return [
      ...shape.columns.flatMap((column) => movesOf(column, live.get(column.attnum))),
      ...columns.filter(({ attnum }) => !then.has(attnum)).map(addedColumn),
    ]
  })
  const adopted = new Set(await adoptedKeys(session, aggregateType))
  const pending = new Map(moves.map((move) => [keyOf(move), move] as const))
  return [...pending]
    .filter(([key]) => !adopted.has(key))
    .map(([, move]) => move)
    .sort((a, b) => a.attnum - b.attnum)
}

function movesOf(then: LiveColumn, now: LiveColumn | undefined): readonly RowMove[] {
  const { attnum, name, type } = then
  if (now === undefined) return [{ kind: 'dropped', attnum, column: name, before: name, after: null }]
  const renamed = { kind: 'renamed', attnum, column: now.name, before: name, after: now.name } as const
  const retyped = { kind: 'retyped', attnum, column: now.name, before: type, after: now.type } as const
  return [...(name === now.name ? [] : [renamed]), ...(type === now.type ? [] : [retyped])]
}

function addedColumn({ attnum, name }: LiveColumn): RowMove {
  return { kind: 'added', attnum, column: name, before: null, after: null }
}

/** An added column is adopted once, whatever it's called or held. */
function keyOf({ kind, attnum, before, after }: Omit<RowMove, 'column'>): string {
  return JSON.stringify(kind === 'added' ? [kind, attnum] : [kind, attnum, before, after])
}

async function adoptedKeys(session: Session, aggregateType: string): Promise<readonly string[]> {
  const rows = await session.rows<
    Record<'kind' | 'attnum', string> & { readonly before: string | null; readonly after: string | null }
  >(sql`
    select kind, attnum, before, after
    from eventward.epochs
    where aggregate_type = ${aggregateType}::text
      and kind <> 'restored'`)
  return rows.map(({ kind, attnum, before, after }) =>
    keyOf({ kind: kind as RowMove['kind'], attnum: Number(attnum), before, after }),
  )
}

/** Moves in words: `note was added`, `user_id is owner_id now`. Pure. */
export function movesText(moves: readonly RowMove[]): string {
  return moves.map(moveText).join(', ')
}

function moveText({ kind, column, before, after }: RowMove): string {
  switch (kind) {
    case 'added':
      return `${column} was added`
    case 'renamed':
      return `${before} is ${after} now`
    case 'dropped':
      return `${column} was dropped`
    case 'retyped':
      return `${column} is ${after} now, not ${before}`
  }
}

/** What adopting records: for an added column `after` is the canonical text that rows had which were there before. */
export interface Epoch extends Omit<RowMove, 'kind'> {
  readonly kind: RowMove['kind'] | 'restored'
}

/** Records what is adopted, within the caller's transaction; what is recorded already stays as it is. */
export async function recordEpochs(
  session: Session,
  aggregateType: string,
  epochs: readonly Epoch[],
): Promise<void> {
  for (const { kind, attnum, column, before, after } of epochs) {
    await session.execute(sql`
      insert into eventward.epochs (aggregate_type, kind, attnum, name, before, after)
      values (${aggregateType}::text, ${kind}::text, ${String(attnum)}::smallint, ${column}::text, ${before}::text, ${after}::text)
      on conflict do nothing`)
  }
}
