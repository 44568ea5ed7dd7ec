import type { Knex } from 'knex'
import type { Row } from '../definition/index.js'
import { streamOf } from '../recognise/index.js'
import type { AnyCommand, ShownRow } from './any-command.js'
import { appendedEvent, shownText } from './appended-event.js'
import { askPhase } from './ask-phase.js'
import { isRegistered, refuseUnregistered, refuseWrongEvents } from './built-events.js'
import { type CallerConnection, connectionOf, setLocally } from './caller-connection.js'
import { type Binding, bindingOf } from './command-binding.js'
import { gone, invalid, type Named, refusedBy, wrongEvent } from './command-errors.js'
import { keyTexts, splitInput, validAttributes } from './command-input.js'
import type { AppendedEvent, CallOptions, Present } from './command-types.js'
import { contextJson, contextMetadata } from './context.js'
import { rowsOf, undecided } from './fold-events.js'
import { jsonText } from './json-text.js'
import { type KeyTexts, type Loaded, loadRow, type Moment } from './load-row.js'
import { freshDefaults } from './new-row.js'
import { type Built, planEvents } from './planned-event.js'
import { writeRow } from './write-row.js'

export interface Call {
  readonly knex: Knex | Knex.Transaction
  readonly input: unknown
  readonly options: CallOptions
}

/** What is known of a call before the database is asked. */
interface Run {
  readonly key: Readonly<Record<string, unknown>>
  readonly attributes: unknown
  readonly options: CallOptions
  readonly named: Named
}

/** The life of a command: see ARCHITECTURE.md. */
export async function callCommand(
  command: AnyCommand,
  call: Call,
): Promise<AppendedEvent | readonly AppendedEvent[] | null> {
  const { knex } = call
  const named = nameOf(command)
  const { key, rest } = splitInput(command.aggregate, call.input, named)
  // Before anything is locked: a schema may take its time.
  const attributes = await validAttributes(command, rest, named)
  const run = { key, attributes, options: call.options, named }
  const appended = isTransaction(knex)
    ? await inTransaction(command, run, knex, false)
    : await knex.transaction((trx) => inTransaction(command, run, trx, true))
  if (appended === null) return null
  return command.several === true ? appended : (appended[0] ?? null)
}

function isTransaction(knex: Knex | Knex.Transaction): knex is Knex.Transaction {
  return knex.isTransaction === true
}

/** A call within its transaction, the table's lock held. */
interface Running extends Run {
  readonly command: AnyCommand
  readonly trx: Knex.Transaction
  readonly connection: CallerConnection
  /** Binds anew, for what may have been registered since. */
  readonly rebind: () => Promise<Binding>
}

/** What the command decides upon. */
interface Seen {
  /** Null where the row is to be made. */
  readonly loaded: Loaded | null
  readonly now: Moment
  /** Of a row to be made: what it was given as its key, and what the table gives. */
  readonly defaults: Row
}

async function inTransaction(
  command: AnyCommand,
  run: Run,
  trx: Knex.Transaction,
  own: boolean,
): Promise<readonly AppendedEvent[] | null> {
  const { aggregate: definition } = command
  const connection = await connectionOf(trx)
  const context = contextJson()
  // Of a transaction of its own until the end: triggers that were put off until the commit write as well.
  if (own && context !== null) await connection.run([setLocally('eventward.metadata', context)])
  const locked = await askPhase(connection, definition, run.named)
  const request = { trx, connection, definition, ...locked }
  const running = { ...run, command, trx, connection, rebind: () => bindingOf(request, true) }
  const binding = await bindingOf(request)
  const seen = await look(running, binding)
  const built = await decide(running, binding, seen)
  return built === null ? null : append(running, await registered(running, binding, built), seen, built)
}

/** The row, locked; or the clock, and what a new row gets by default. */
async function look({ command, connection, key, named }: Running, binding: Binding): Promise<Seen> {
  const texts = await keyTexts(connection, binding, key, named)
  if (command.creates === true) {
    const { now, defaults } = await freshDefaults(connection, binding, undecided(binding, texts))
    return { loaded: null, now, defaults: { ...defaults, ...texts } }
  }
  const loaded = await loadOrRefuse(command, connection, binding, texts, named)
  return { loaded, now: loaded.now, defaults: {} }
}

/** The application's part: null where there is nothing to do. */
async function decide(
  { command, attributes, named, trx }: Running,
  binding: Binding,
  { loaded, now, defaults }: Seen,
): Promise<readonly Built[] | null> {
  const state = loaded === null ? null : stateOf(binding, loaded)
  const id = loaded?.id ?? givenId(binding, defaults)
  const present: Present = Object.freeze({ id, version: loaded?.version ?? 0, now: now.utc, trx })
  const objection = await command.validate?.(state, attributes, present)
  if (typeof objection === 'string' && objection !== '') throw refusedBy(named, id, objection)
  if ((await command.noop?.(state, attributes, present)) === true) return null
  const built = [await command.build(state, attributes, present)].flat() as readonly Built[]
  refuseWrongEvents(command, binding, built, named)
  return built
}

/** Looked at once more before it is refused: the definition may have been registered since it was bound. */
async function registered(
  { rebind, named }: Running,
  binding: Binding,
  built: readonly Built[],
): Promise<Binding> {
  if (built.every((event) => isRegistered(binding, event))) return binding
  const again = await rebind()
  refuseUnregistered(again, built, named)
  return again
}

async function append(
  { command, connection, named, options }: Running,
  binding: Binding,
  { loaded, now, defaults }: Seen,
  built: readonly Built[],
): Promise<readonly AppendedEvent[]> {
  const definition = command.aggregate
  const planned = await planEvents({ connection, binding, definition, named, now, built, defaults })
  const rows = rowsOf(command, binding, { loaded, planned, defaults, now, named })
  if (rows.events.length === 0) throw wrongEvent(named, 'gave no event, and there is no noop that says so')
  const metadata = {
    ...contextMetadata(),
    ...options.metadata,
    source: 'command',
    ...(command.name === undefined ? {} : { command: command.name }),
    // The row shape is the trigger's to tell: it knows which columns are not those that it was compiled for.
    definition: binding.origin.definition,
    writer: binding.origin.writer,
  }
  const write = {
    ...rows,
    version: loaded?.version ?? 0,
    metadata: jsonText(metadata, `${named.where}: its metadata`),
    context: contextJson(),
  }
  const appended = await writeRow(connection, binding, write, named)
  // One more may follow: what a legacy trigger changed on the way is no part of what the command meant.
  return Object.freeze(
    appended.slice(0, rows.events.length).map((event) => appendedEvent(binding, rows.id, event)),
  )
}

function givenId({ model }: Binding, given: Row): string | null {
  return model.key.every((name) => (given[name] ?? null) !== null) ? streamOf(model, given) : null
}

function nameOf({ name, aggregate }: AnyCommand): Named {
  return { where: name === undefined ? aggregate.name : `${aggregate.name}.${name}`, table: aggregate.table }
}

async function loadOrRefuse(
  command: AnyCommand,
  connection: CallerConnection,
  binding: Binding,
  key: KeyTexts,
  named: Named,
): Promise<Loaded> {
  const missing = binding.model.key.filter((name) => !(name in key))
  if (missing.length > 0) {
    throw invalid(
      named,
      missing.map((name) => ({ message: 'the key is missing', path: [name] })),
    )
  }
  const loaded = await loadRow(connection, binding, { key, deletes: command.deletes === true })
  if (loaded === null) throw gone(named, key)
  return loaded
}

function stateOf({ model }: Binding, { row }: Loaded): ShownRow {
  return Object.freeze(
    Object.fromEntries(
      model.columns.map(({ name, encoding }) => [name, shownText(encoding, row[name] ?? null)]),
    ),
  )
}
