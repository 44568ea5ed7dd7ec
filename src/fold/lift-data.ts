import type { BoundModel, Constant, Encoding, StoredVersion, UpcastStep } from '../definition/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import { decodeText, encodeText, members } from '../encode/index.js'

/** The members of an event's data, as raw JSON: no number is parsed. */
export type RawMembers = ReadonlyMap<string, string>

/** Members on their way from one version to another. */
export interface Between {
  readonly from: StoredVersion
  readonly to: StoredVersion
  readonly members: RawMembers
}

export function membersOf(data: string): RawMembers {
  return data.startsWith('{') ? members(data) : new Map()
}

export function dataOfMembers(all: RawMembers): string {
  return `{${[...all].map(([name, raw]) => `${JSON.stringify(name)}: ${raw}`).join(', ')}}`
}

/** The members after one step. Renamed to what is there already, the newer name wins. */
export function stepped(model: BoundModel, between: Between, step: UpcastStep): RawMembers {
  const after = new Map(between.members)
  switch (step.op) {
    case 'drop':
      after.delete(step.attribute)
      return after
    case 'rename': {
      const raw = after.get(step.from)
      if (raw === undefined) return after
      after.delete(step.from)
      after.set(step.to, raw)
      return after
    }
    case 'add':
      if (!after.has(step.attribute)) after.set(step.attribute, constantJson(step.value))
      return after
    case 'compute':
      return withValues(model, between, step.run(valuesOf(model, between.from, between.members)))
  }
}

/** A constant as raw JSON. A number's text may be given as a string, which reads the same. */
export function constantJson(value: Constant): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

/**
 * What a function is given: numbers of columns as their text, booleans and null as such, facts as they are. Columns that
 * travel undeclared are nobody's attributes: it doesn't get them.
 */
export function valuesOf(
  model: BoundModel,
  version: StoredVersion,
  all: RawMembers,
): Readonly<Record<string, unknown>> {
  const known = knownAs(model, version)
  return Object.fromEntries(
    [...all].flatMap(([name, raw]) =>
      name === RESIDUE_MEMBER || travels(model, version, name)
        ? []
        : [[name, givenValue(known(name), raw)] as const],
    ),
  )
}

/** What a function gave, as members: what it left as it was keeps its very text; undeclared columns travel on. */
export function withValues(
  model: BoundModel,
  { from, to, members: before }: Between,
  given: Readonly<Record<string, unknown>>,
): RawMembers {
  const knownBefore = knownAs(model, from)
  const known = knownAs(model, to)
  const after = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) {
    const raw = before.get(name)
    const same = raw !== undefined && Object.is(givenValue(knownBefore(name), raw), value)
    if (value !== undefined) after.set(name, same ? raw : jsonOf(known(name), value))
  }
  for (const [name, raw] of before) {
    const undeclared = name === RESIDUE_MEMBER || travels(model, from, name)
    if (undeclared && !after.has(name)) after.set(name, raw)
  }
  return after
}

type Known = Encoding | 'fact' | undefined

/** What a member is, by the shape of its version, or else of the present one. */
function knownAs(model: BoundModel, version: StoredVersion): (name: string) => Known {
  const exact = shapeOf(model, version)
  const present = model.events.find(({ type }) => type === version.type)
  const encodings = new Map(model.columns.map(({ name, encoding }) => [name, encoding]))
  return (name) => {
    for (const shape of [exact, present]) {
      if (shape?.facts.includes(name) === true) return 'fact'
      const carried = shape?.data.find(({ attribute }) => attribute === name)
      const encoding = encodings.get(carried?.column ?? '')
      if (encoding !== undefined) return encoding
    }
    return undefined
  }
}

/** Where the version's own shape is known: a member that it doesn't declare, and that bears a column's name. */
function travels(model: BoundModel, version: StoredVersion, name: string): boolean {
  const shape = shapeOf(model, version)
  if (shape === undefined) return false
  const declared = shape.facts.includes(name) || shape.data.some(({ attribute }) => attribute === name)
  return !declared && model.columns.some((column) => column.name === name)
}

function shapeOf({ shapes }: BoundModel, { type, schemaVersion }: StoredVersion) {
  return shapes.find((shape) => shape.type === type && shape.schemaVersion === schemaVersion)
}

function givenValue(known: Known, raw: string): unknown {
  if (known === 'fact') return JSON.parse(raw) as unknown
  if (raw === 'true' || raw === 'false') return raw === 'true'
  if (known !== undefined) return decodeText(known, raw)
  return /^[-\d]/.test(raw) ? raw : (JSON.parse(raw) as unknown)
}

function jsonOf(known: Known, value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string' && known !== undefined && known !== 'fact') return encodeText(known, value)
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError('it gave what has no form in JSON')
  return json
}
