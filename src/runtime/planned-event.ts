import type { AggregateDefinition, BoundColumn, BoundEvent, Row, Text } from '../definition/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import { encodeText, textOfInstant } from '../encode/index.js'
import { columnsOf, laterColumns, standsInResidue } from '../recognise/index.js'
import { type AskTexts, attributeTexts } from './attribute-texts.js'
import type { Meaning } from './command-binding.js'
import { invalid, type Named, wrongEvent } from './command-errors.js'
import { plainIssue } from './command-input.js'
import { cutTo } from './cut-time.js'
import { jsonText } from './json-text.js'
import type { Moment } from './load-row.js'

/** What `build` gives, as plain data. */
export interface Built {
  readonly type: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly facts?: Readonly<Record<string, unknown>>
}

/** An event on its way to being announced. */
export interface Planned {
  readonly type: string
  readonly schemaVersion: number
  /** Canonical JSON text. */
  readonly data: string
  readonly time: Moment
}

/** An event of which it's known what it carries, by column. */
interface Draft {
  readonly event: BoundEvent
  readonly texts: ReadonlyMap<string, Text>
  readonly facts: readonly (readonly [name: string, json: string])[]
  /** Columns that it carries beyond its attributes. */
  readonly extra: Map<string, Text>
}

/** What `planEvents` is given. */
export interface Plan {
  readonly texts: AskTexts
  readonly binding: Meaning
  readonly definition: AggregateDefinition
  readonly named: Named
  readonly now: Moment
  readonly built: readonly Built[]
  /** Texts of columns that the table fills by default: on a creation. */
  readonly defaults: Row
}

/**
 * The events of a command, canonically encoded: attributes made canonical, facts validated, each time cut to what its
 * columns hold; the column of the last update in the last one. What a new row has by default and no event says travels
 * as it does where a creation is recognised: in the creating event, or, where another event is about it, in a `Changed`.
 *
 * @throws UsageError EW_COMMAND_EVENT for what is no event of the aggregate, EW_COMMAND_INVALID for values that are none.
 */
export async function planEvents(plan: Plan): Promise<readonly Planned[]> {
  const drafts: Draft[] = []
  for (const built of plan.built) drafts.push(await draftOf(plan, built))
  const left = defaultsLeft(plan, drafts)
  const stamp = stampOf(plan)
  const last = drafts.at(-1)
  if (stamp !== undefined && left.length === 0) last?.extra.set(stamp.name, null)
  const planned = drafts.map((draft) => plannedOf(plan, draft, stamp))
  return left.length === 0 ? planned : [...planned, changedOf(plan, left, stamp)]
}

async function draftOf(plan: Plan, built: Built): Promise<Draft> {
  const { binding, named } = plan
  const event = binding.model.events.find(({ type }) => type === built.type)
  if (event === undefined) throw wrongEvent(named, `gave ${JSON.stringify(built.type)}, which is no event`)
  const data = built.data ?? {}
  const attributes = event.data.map(({ attribute }) => attribute)
  sameNames(named, event.type, 'attribute', Object.keys(data), attributes)
  sameNames(named, event.type, 'fact', Object.keys(built.facts ?? {}), event.facts)
  const given = event.data.map(({ attribute, column }) => ({ column, value: data[attribute] }))
  const texts = await attributeTexts(plan.texts, binding, given, named)
  return {
    event,
    texts: new Map(event.data.map(({ column }, index) => [column, texts[index] ?? null])),
    facts: await factsOf(plan, event, built.facts ?? {}),
    extra: new Map(),
  }
}

function sameNames(
  named: Named,
  type: string,
  what: string,
  given: readonly string[],
  declared: readonly string[],
): void {
  const wrong = given.find((name) => !declared.includes(name))
  if (wrong !== undefined) throw wrongEvent(named, `gave ${type} with ${wrong}, which is no ${what} of it`)
  const missing = declared.find((name) => !given.includes(name))
  if (missing !== undefined) throw wrongEvent(named, `gave ${type} without its ${what} ${missing}`)
}

async function factsOf(
  { definition, named }: Plan,
  event: BoundEvent,
  facts: Readonly<Record<string, unknown>>,
): Promise<Draft['facts']> {
  const schemas = definition.events.find(({ type }) => type === event.type)?.factSchemas ?? {}
  const encoded: [string, string][] = []
  for (const name of event.facts) {
    const result = await schemas[name]?.['~standard'].validate(facts[name])
    if (result?.issues !== undefined) {
      throw invalid(
        named,
        result.issues.map(plainIssue).map(({ message, path = [] }) => ({ message, path: [name, ...path] })),
      )
    }
    const value = result === undefined ? facts[name] : result.value
    encoded.push([name, jsonText(value, `${named.where}: ${event.type}.${name}`)])
  }
  return encoded
}

/** Gives the creating event what no event says of the new row; returns what goes into a `Changed`. */
function defaultsLeft({ binding, defaults }: Plan, drafts: readonly Draft[]): readonly string[] {
  const [creating] = drafts
  const said = new Set(drafts.flatMap(({ event }) => columnsOf(event)))
  const later = laterColumns(binding.model)
  const unsaid = Object.keys(defaults).filter(
    (name) => !said.has(name) && !binding.model.key.includes(name) && defaults[name] !== null,
  )
  for (const name of unsaid) if (!later.has(name)) creating?.extra.set(name, defaults[name] ?? null)
  return unsaid.filter((name) => later.has(name))
}

/** The column of the last update: set by every command, as by every other write. */
function stampOf({ binding: { model } }: Plan): BoundColumn | undefined {
  return model.columns.find(({ name }) => name === model.updatedAt)
}

function plannedOf(plan: Plan, { event, texts, facts, extra }: Draft, stamp?: BoundColumn): Planned {
  const { model } = plan.binding
  const columns = new Map(model.columns.map((column) => [column.name, column]))
  const bound = event.bound.flatMap((name) => columns.get(name) ?? [])
  const stamped = stamp !== undefined && extra.has(stamp.name)
  const time = cutTo(plan.now, bound)
  // Bound columns but the first are carried as well: recognised, they may differ.
  for (const column of bound.slice(1)) extra.set(column.name, instantText(column, time))
  if (stamped) extra.set(stamp.name, instantText(stamp, cutTo(plan.now, [stamp])))
  const members = event.data.map(({ attribute, column }) =>
    member(attribute, columns.get(column), texts.get(column) ?? null),
  )
  const known = facts.map(([name, json]) => `${JSON.stringify(name)}:${json}`)
  return {
    type: event.type,
    schemaVersion: event.schemaVersion,
    data: object([...members, ...known, ...extras(event, extra, columns)]),
    time,
  }
}

function changedOf(plan: Plan, left: readonly string[], stamp?: BoundColumn): Planned {
  const { model } = plan.binding
  const columns = new Map(model.columns.map((column) => [column.name, column]))
  const extra = new Map(left.map((name) => [name, plan.defaults[name] ?? null]))
  if (stamp !== undefined) extra.set(stamp.name, instantText(stamp, cutTo(plan.now, [stamp])))
  return {
    type: model.residue.changed,
    schemaVersion: 1,
    data: object(extras({ data: [], facts: [] }, extra, columns)),
    time: plan.now,
  }
}

function extras(
  shape: Pick<BoundEvent, 'data' | 'facts'>,
  extra: ReadonlyMap<string, Text>,
  columns: ReadonlyMap<string, BoundColumn>,
): readonly string[] {
  const all = [...extra].flatMap(([name, text]) => {
    const column = columns.get(name)
    return column === undefined ? [] : [{ column, json: member(name, column, text) }]
  })
  const hidden = all.filter(({ column }) => standsInResidue(shape, column))
  const plain = all.filter(({ column }) => !standsInResidue(shape, column))
  return [
    ...plain.map(({ json }) => json),
    ...(hidden.length === 0
      ? []
      : [`${JSON.stringify(RESIDUE_MEMBER)}:${object(hidden.map(({ json }) => json))}`]),
  ]
}

function member(name: string, column: BoundColumn | undefined, text: Text): string {
  return `${JSON.stringify(name)}:${encodeText(column?.encoding ?? 'text', text)}`
}

const object = (members: readonly string[]): string => `{${members.join(',')}}`

function instantText(column: BoundColumn, { utc, local }: Moment): string {
  return textOfInstant(column.temporal ?? 'timestamptz', utc, local ?? utc.replace('+00', ''))
}
