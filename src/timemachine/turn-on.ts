import { createHash } from 'node:crypto'
import { type BoundAggregate, bindAggregate } from '../bind/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, type BoundModel, tableName } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import { eventsWithCode } from '../fold/index.js'
import { asOfColumns, compileAsOf, literal, qualified, raw, sql } from '../sql/index.js'
import { requireEventsTable, storedShapes } from '../store/index.js'
import { asOfNames } from './as-of-names.js'
import { dropFunction, giveRights, rightsOf } from './drop-function.js'
import {
  type Known,
  knownFunction,
  lockTimeMachines,
  requireTimeMachines,
  shownFunction,
} from './known-functions.js'
import type { MadeTimeMachine } from './time-machine-result.js'

/**
 * Makes the function that gives a table as of a time, `eventward.<table>_as_of(timestamptz)`; run again, it makes it anew
 * where definition or columns have moved. One transaction. Touches nothing of the application's, and takes no lock on its
 * table; whoever may call the function is kept where it's replaced.
 *
 * @throws UsageError EW_NOT_MIGRATED, EW_TIME_MACHINE_CODE where only code knows what some event does,
 * EW_TIME_MACHINE_UNREGISTERED where nothing says yet what its events mean, those of `bindAggregate`;
 * GateError EW_TIME_MACHINE_USED where its columns have moved and someone's view stands on it.
 */
export async function timeMachineOn(
  session: Session,
  definition: AggregateDefinition,
): Promise<MadeTimeMachine> {
  await requireTimeMachines(session)
  return session.transaction({}, async () => {
    await lockTimeMachines(session)
    const events = await requireEventsTable(session)
    // Before the definition is read: what is registered meanwhile makes the function refuse, and be made again.
    const meaning = await registeredMeaning(session, definition)
    const shapes = await storedShapes(session, definition.name)
    const { model, table } = await bindAggregate(session, definition, shapes)
    refuseCode(model)
    const known = await knownFunction(session, model.name)
    const name = known?.name ?? (await freeName(session, model))
    const text = compileAsOf({ model, events, name, meaning })
    const made = {
      columns: columnsJson(model),
      source: createHash('sha256').update(text).digest('hex'),
      meaning,
    }
    const change = changeOf(known, made)
    if (change !== 'none') {
      await replace(session, { known, name, text, columns: made.columns, rows: rowsOf(table) })
      await note(session, model.name, { name, ...made })
    }
    return {
      table: tableName(definition.table),
      aggregate: model.name,
      function: shownFunction(name),
      state: 'on',
      asText: asOfColumns(model).flatMap((column) => (column.asText ? [column.name] : [])),
      change,
    }
  })
}

/** Null where nothing was made. `made` is what would be noted now. */
function changeOf(known: Known | null, { source }: { readonly source: string }): MadeTimeMachine['change'] {
  if (known === null || known.oid === null) return 'made'
  return known.source === source ? 'none' : 'replaced'
}

interface Replacement {
  readonly known: Known | null
  readonly name: string
  readonly text: string
  readonly columns: string
  readonly rows: number
}

async function replace(session: Session, { known, name, text, columns, rows }: Replacement): Promise<void> {
  // PostgreSQL replaces a function in place only where it returns the same columns.
  const moved = known !== null && known.oid !== null && known.columns !== columns
  const rights = moved ? await rightsOf(session, known) : []
  if (moved) await dropFunction(session, known)
  await session.execute({ text, values: [] })
  const signature = raw(`${qualified('eventward', name)}(pg_catalog.timestamptz)`)
  await session.execute(sql`alter function ${signature} rows ${raw(String(rows))}`)
  await session.execute(sql`comment on function ${signature} is ${raw(literal(COMMENT))}`)
  await giveRights(session, name, rights)
}

const COMMENT = 'Rows as of a time, folded from their events. Made by: eventward time-machine on'

/** For the planner of whoever joins it. */
function rowsOf({ rowEstimate }: BoundAggregate['table']): number {
  return Math.min(1_000_000_000, Math.max(1_000, Math.round(Number(rowEstimate ?? 0))))
}

async function registeredMeaning(session: Session, { name, table }: AggregateDefinition): Promise<string> {
  const { meaning, registered } = await session.one(sql`
    select eventward.meaning_of(${name}::text) as meaning,
      exists (select from eventward.aggregates a where a.aggregate_type = ${name}::text) as registered`)
  if (registered === 't') return String(meaning)
  const shown = tableName(table)
  throw new UsageError(
    'EW_TIME_MACHINE_UNREGISTERED',
    `${shown}: nothing says yet what the events of ${name} mean`,
    {
      next: `Run \`eventward capture on ${shellWord(shown)}\` or \`eventward backfill ${shellWord(shown)}\` first.`,
      details: { table: shown, aggregate: name },
    },
  )
}

function refuseCode(model: BoundModel): void {
  const events = eventsWithCode(model)
  if (events.length === 0) return
  const table = tableName({ schema: model.schema, name: model.table })
  throw new UsageError(
    'EW_TIME_MACHINE_CODE',
    `${table}: code says what ${events.join(', ')} ${events.length === 1 ? 'does' : 'do'}, which no SQL knows`,
    {
      next: `Look at single rows with \`eventward show ${shellWord(model.name)} <key> --at <time>\`, which runs that code.`,
      details: { table, aggregate: model.name, events },
    },
  )
}

/** The first name under which there is nothing. */
async function freeName(session: Session, model: BoundModel): Promise<string> {
  const names = asOfNames(model)
  const taken = new Set(
    (
      await session.rows<{ name: string }>(sql`
        select p.proname as name
        from pg_proc p
        where p.pronamespace = 'eventward'::regnamespace
          and p.proname = any(${names}::text[])
        union all
        select t.function_name
        from eventward.time_machines t
        where t.function_name = any(${names}::text[])`)
    ).map(({ name }) => name),
  )
  const free = names.find((name) => !taken.has(name))
  if (free !== undefined) return free
  throw new GateError(
    'EW_TIME_MACHINE_NAME',
    `${names.map(shownFunction).join(' and ')}: there are functions of these names that are not ours`,
    { next: 'Drop or rename one of them.', details: { aggregate: model.name, names } },
  )
}

async function note(
  session: Session,
  aggregate: string,
  made: {
    readonly name: string
    readonly columns: string
    readonly source: string
    readonly meaning: string
  },
): Promise<void> {
  await session.execute(sql`
    insert into eventward.time_machines as t (aggregate_type, function_name, columns, source, meaning)
    values (${aggregate}::text, ${made.name}::text, ${made.columns}::jsonb, ${made.source}::text, ${made.meaning}::text)
    on conflict (aggregate_type) do update
    set columns = excluded.columns, source = excluded.source, meaning = excluded.meaning, made_at = clock_timestamp()`)
}

function columnsJson(model: BoundModel): string {
  return JSON.stringify(asOfColumns(model).map(({ name, type }) => [name, type]))
}
