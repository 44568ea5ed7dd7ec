import type { Knex } from 'knex'
import type { AggregateDefinition, Row, StandardIssue, StandardSchemaV1 } from '../definition/index.js'
import { decodeText, members } from '../encode/index.js'
import { UsageError } from '../errors/index.js'
import { columnsOf, streamOf } from '../recognise/index.js'
import { appendedEvent, shownText } from './appended-event.js'
import { askPhase } from './ask-phase.js'
import { attributeTexts } from './attribute-texts.js'
import { type CallerConnection, connectionOf, setLocally } from './caller-connection.js'
import { type Binding, bindingOf, eventKey } from './command-binding.js'
import { gone, invalid, type Named, refusedBy, unregistered, wrongEvent } from './command-errors.js'
import type { AppendedEvent, CallOptions, Objection, Present } from './command-types.js'
import { contextJson, contextMetadata } from './context.js'
import { jsonText } from './json-text.js'
import { type KeyTexts, type Loaded, loadRow } from './load-row.js'
import { freshDefaults } from './new-row.js'
import { type Built, type Planned, planEvents } from './planned-event.js'
import { writeRow } from './write-row.js'

/** A command as plain data: what `defineCommand` was given, without its types. */
export interface AnyCommand {
  readonly name?: string
  readonly aggregate: AggregateDefinition
  readonly attributes?: StandardSchemaV1
  readonly creates?: boolean
  readonly deletes?: boolean
  readonly several?: boolean
  readonly validate?: Decide<Objection>
  readonly noop?: Decide<boolean>
  readonly build: Decide<Built | readonly Built[]>
}

type ShownRow = Readonly<Record<string, string | boolean | null>>
type Decide<T> = (state: ShownRow | null, attributes: unknown, present: Present) => T | Promise<T>

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

async function inTransaction(
  command: AnyCommand,
  { key, attributes, options, named }: Run,
  trx: Knex.Transaction,
  own: boolean,
): Promise<readonly AppendedEvent[] | null> {
  const { aggregate: definition } = command
  const connection = await connectionOf(trx)
  const context = contextJson()
  // Of a transaction of its own until the end: triggers that were put off until the commit write as well.
  if (own && context !== null) await connection.run([setLocally('eventward.metadata', context)])
  const locked = await askPhase(connection, definition, named)
  const request = { trx, connection, definition, ...locked }
  let binding = await bindingOf(request)
  const texts = await keyTexts(connection, binding, key, named)
  const loaded =
    command.creates === true ? null : await loadOrRefuse(command, connection, binding, texts, named)
  const fresh = loaded === null ? await freshDefaults(connection, binding, undecided(binding, texts)) : null
  const now = loaded?.now ?? fresh?.now ?? { utc: '', local: null }
  const state = loaded === null ? null : stateOf(binding, loaded)
  const present: Present = Object.freeze({
    id:
      loaded?.id ??
      (binding.model.key.every((name) => name in texts) ? streamOf(binding.model, texts) : null),
    version: loaded?.version ?? 0,
    now: now.utc,
    trx,
  })

  const objection = await command.validate?.(state, attributes, present)
  if (typeof objection === 'string' && objection !== '') throw refusedBy(named, present.id, objection)
  if ((await command.noop?.(state, attributes, present)) === true) return null
  const built = [await command.build(state, attributes, present)].flat() as readonly Built[]
  refuseWrongEvents(command, binding, built, named)
  if (built.some((event) => !isRegistered(binding, event))) {
    // It may have been registered since: looked at once more before it is refused.
    binding = await bindingOf(request, true)
    refuseUnregistered(binding, built, named)
  }

  const defaults: Row = { ...fresh?.defaults, ...texts }
  const planned = await planEvents({ connection, binding, definition, named, now, built, defaults })
  const { before, after, id, events } = rowsOf(command, binding, { loaded, planned, defaults, now, named })
  if (events.length === 0) throw wrongEvent(named, 'gave no event, and there is no noop that says so')
  const metadata = jsonText(
    {
      ...contextMetadata(),
      ...options.metadata,
      source: 'command',
      ...(command.name === undefined ? {} : { command: command.name }),
      ...binding.origin,
    },
    `${named.where}: its metadata`,
  )
  const version = loaded?.version ?? 0
  const appended = await writeRow(
    connection,
    binding,
    { id, version, before, after, events, metadata, context },
    named,
  )
  return Object.freeze(appended.slice(0, events.length).map((event) => appendedEvent(binding, id, event)))
}

function nameOf({ name, aggregate }: AnyCommand): Named {
  return { where: name === undefined ? aggregate.name : `${aggregate.name}.${name}`, table: aggregate.table }
}

/** The key's columns and all else, which is the schema's matter. */
function splitInput({ table }: AggregateDefinition, input: unknown, named: Named) {
  if (typeof input !== 'object' || input === null) {
    throw invalid(named, [{ message: 'a command takes one object: its key and its attributes' }])
  }
  const entries = Object.entries(input)
  const isKey = ([name, value]: readonly [string, unknown]) =>
    table.key.includes(name) && value !== undefined && value !== null
  return {
    key: Object.fromEntries(entries.filter(isKey)),
    rest: Object.fromEntries(entries.filter(([name]) => !table.key.includes(name))),
  }
}

/** The texts of the key's columns, of those that were given. */
async function keyTexts(
  connection: CallerConnection,
  binding: Binding,
  key: Readonly<Record<string, unknown>>,
  named: Named,
): Promise<KeyTexts> {
  const given = Object.entries(key).map(([column, value]) => ({ column, value }))
  const texts = await attributeTexts(connection, binding, given, named)
  return Object.fromEntries(given.map(({ column }, index) => [column, texts[index] ?? '']))
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

async function validAttributes(command: AnyCommand, rest: unknown, named: Named): Promise<unknown> {
  if (command.attributes === undefined) {
    const unknown = Object.keys(rest as object)
    if (unknown.length === 0) return {}
    const issues: readonly StandardIssue[] = unknown.map((name) => ({
      message: 'is no attribute',
      path: [name],
    }))
    throw invalid(named, issues)
  }
  const result = await command.attributes['~standard'].validate(rest)
  if (result.issues !== undefined) throw invalid(named, result.issues)
  return result.value
}

function stateOf({ model }: Binding, { row }: Loaded): ShownRow {
  return Object.freeze(
    Object.fromEntries(
      model.columns.map(({ name, encoding }) => [name, shownText(encoding, row[name] ?? null)]),
    ),
  )
}

function refuseWrongEvents(
  { creates = false, deletes = false }: AnyCommand,
  { model }: Binding,
  built: readonly Built[],
  named: Named,
): void {
  built.forEach(({ type }, index) => {
    const event = model.events.find((candidate) => candidate.type === type)
    if (event === undefined) throw wrongEvent(named, `gave ${JSON.stringify(type)}, which is no event`)
    const mayCreate = creates && index === 0
    if (mayCreate && event.effect !== 'creates') throw wrongEvent(named, `begins a row with ${type}`)
    if (!mayCreate && event.effect === 'creates')
      throw wrongEvent(named, `gave ${type} for a row that is there`)
  })
  if (creates && deletes) {
    throw new UsageError('EW_COMMAND_EVENT', `${named.where} creates and deletes`, {
      next: 'Make two commands of it.',
    })
  }
}

function isRegistered({ model, unregistered: unknown }: Binding, { type }: Built): boolean {
  const event = model.events.find((candidate) => candidate.type === type)
  return event !== undefined && !unknown.has(eventKey(type, event.schemaVersion))
}

function refuseUnregistered(binding: Binding, built: readonly Built[], named: Named): void {
  const unknown = built.find((event) => !isRegistered(binding, event))
  if (unknown === undefined) return
  const event = binding.model.events.find(({ type }) => type === unknown.type)
  throw unregistered(named, unknown.type, event?.schemaVersion ?? 1)
}

interface Written {
  readonly loaded: Loaded | null
  readonly planned: readonly Planned[]
  readonly defaults: Row
  readonly now: Loaded['now']
  readonly named: Named
}

/** The row before and after the events, and the events that lead from one to the other. */
function rowsOf(command: AnyCommand, binding: Binding, { loaded, planned, defaults, now, named }: Written) {
  const { model, apply } = binding
  const id = loaded?.id ?? streamOf(model, newKey(binding, planned, defaults, named))
  const deleted: Planned = { type: model.residue.deleted, schemaVersion: 1, data: '{}', time: now }
  const events = command.deletes === true ? [...planned, deleted] : planned
  const after = events.reduce<Row | null>(
    (row, { type, schemaVersion, data, time }, index) =>
      apply(row, {
        aggregateId: id,
        version: index + 1,
        type,
        schemaVersion,
        data,
        occurredAt: time.utc,
        localTime: time.local,
      }),
    loaded?.row ?? null,
  )
  if (after !== null && streamOf(model, after) !== id) {
    throw wrongEvent(named, 'changes the key: the row would be another')
  }
  return { id, before: loaded?.row ?? null, after, events }
}

/** The key of a new row: as the creating event carries it, as it was given, or as the table makes it. */
function newKey({ model }: Binding, [creating]: readonly Planned[], defaults: Row, named: Named): Row {
  const shape = model.events.find(({ type }) => type === creating?.type)
  const data = members(creating?.data ?? '{}')
  const key = model.key.map((name) => {
    const carried = shape?.data.find(({ column }) => column === name)
    const encoding = model.columns.find((column) => column.name === name)?.encoding ?? 'text'
    const text =
      carried === undefined ? undefined : decodeText(encoding, data.get(carried.attribute) ?? 'null')
    return [name, text ?? defaults[name] ?? null] as const
  })
  const missing = key.filter(([, text]) => text === null)
  if (missing.length === 0) return Object.fromEntries(key)
  throw invalid(
    named,
    missing.map(([name]) => ({ message: 'the key is missing, and the table gives none', path: [name] })),
  )
}

/** Columns that a new row may get by default: not given, and not set by whatever event creates a row. */
function undecided({ model }: Binding, given: KeyTexts): (column: { readonly name: string }) => boolean {
  const creating = model.events.filter(({ effect }) => effect === 'creates').map(columnsOf)
  return ({ name }) => !(name in given) && !creating.every((columns) => columns.includes(name))
}
