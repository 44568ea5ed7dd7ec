import type { CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import type {
  AggregateDefinition,
  Assignment,
  Constant,
  EventShape,
  Predicate,
  Text,
} from '../definition/index.js'
import { canonicalTexts, type TextRequest } from './canonical-texts.js'
import type { CanonicalText } from './lower-condition.js'
import { type Lookup, resolveLookups } from './resolve-lookups.js'

/** Every value that a definition names, in the canonical text of its column. */
export interface ResolvedValues {
  readonly canonical: CanonicalText
  readonly assigned: (assignment: Exclude<Assignment, { kind: 'occurredAt' }>) => Text
}

/**
 * Has the server write all constants of a checked definition in canonical text, and look up what is to be pinned. What
 * was pinned when an event of the same type and schema version was installed is taken from there, not asked anew: a
 * stored event means what it meant then, whatever became of the row that was found.
 */
export async function resolveValues(
  session: Session,
  definition: AggregateDefinition,
  { table, frozen }: { readonly table: CatalogTable; readonly frozen: readonly EventShape[] },
): Promise<ResolvedValues> {
  const requests = constantRequests(definition, table)
  const texts = await canonicalTexts(session, requests, zoneOf(definition, table))
  return valuesOf(requests, texts, await pinnedLookups(session, lookupsOf(definition, table), frozen))
}

/** The values of a definition by the texts of its constants, in the order asked, and those of its lookups. */
export function valuesOf(
  requests: readonly TextRequest[],
  texts: readonly Text[],
  pinned: Pinned,
): ResolvedValues {
  const canonical = new Map(
    requests.map(({ column, value }, index) => [requestKey(column.name, value), texts[index] ?? null]),
  )
  const canonicalText: CanonicalText = (column, value) => canonical.get(requestKey(column, value)) ?? null
  return {
    canonical: canonicalText,
    assigned: (assignment) =>
      assignment.kind === 'constant'
        ? canonicalText(assignment.column, assignment.value)
        : (pinned.get(assignment) ?? null),
  }
}

export type Pinned = ReadonlyMap<Lookup['assignment'], Text>

async function pinnedLookups(
  session: Session,
  lookups: readonly VersionedLookup[],
  frozen: readonly EventShape[],
): Promise<Pinned> {
  const pinned = new Map<Lookup['assignment'], Text>()
  const open: VersionedLookup[] = []
  for (const lookup of lookups) {
    const shape = frozen.find(
      ({ type, schemaVersion }) => type === lookup.type && schemaVersion === lookup.schemaVersion,
    )
    const before = shape?.constants.find(({ column }) => column === lookup.column.name)
    if (before === undefined) open.push(lookup)
    else pinned.set(lookup.assignment, before.value)
  }
  const texts = open.length === 0 ? [] : await resolveLookups(session, open)
  open.forEach(({ assignment }, index) => {
    pinned.set(assignment, texts[index] ?? null)
  })
  return pinned
}

/** All constants that a definition names, each once. */
export function constantRequests(
  definition: AggregateDefinition,
  table: CatalogTable,
): readonly TextRequest[] {
  const requests = new Map<string, TextRequest>()
  const ask = (event: string, name: string, value: Constant) => {
    const column = table.columns.find((candidate) => candidate.name === name)
    if (column === undefined) return
    const where = `${definition.name}.${event}: ${table.schema}.${table.name}.${name}`
    if (!requests.has(requestKey(name, value)))
      requests.set(requestKey(name, value), { column, value, where })
  }
  for (const event of definition.events) {
    for (const assignment of event.set) {
      if (assignment.kind === 'constant') ask(event.type, assignment.column, assignment.value)
    }
    for (const { column, value } of event.when === null ? [] : predicateValues(event.when)) {
      ask(event.type, column, value)
    }
  }
  return [...requests.values()]
}

/** A constant is known by its kind too: `1` and `'1'` are checked apart. */
function requestKey(column: string, value: Constant): string {
  return JSON.stringify([column, typeof value, String(value)])
}

type Comparison = Extract<Predicate, { readonly value: Constant }>

function predicateValues(predicate: Predicate): readonly Comparison[] {
  switch (predicate.op) {
    case 'is':
    case 'was':
    case 'becomes':
      return [predicate]
    case 'and':
    case 'or':
      return predicate.of.flatMap(predicateValues)
    case 'not':
      return predicateValues(predicate.of)
    default:
      return []
  }
}

export interface VersionedLookup extends Lookup {
  readonly type: string
  readonly schemaVersion: number
}

export function lookupsOf(definition: AggregateDefinition, table: CatalogTable): readonly VersionedLookup[] {
  return definition.events.flatMap((event) =>
    event.set.flatMap((assignment) => {
      const column = table.columns.find((candidate) => candidate.name === assignment.column)
      if (assignment.kind !== 'lookup' || column === undefined) return []
      const { type, schemaVersion } = event
      const where = `${definition.name}.${type}: ${assignment.column}`
      return [{ assignment, column, where, type, schemaVersion }]
    }),
  )
}

/** The zone matters where a column without one is bound to the time of occurrence, or is the time of the last update. */
function zoneOf(definition: AggregateDefinition, table: CatalogTable): string | null {
  const bound = definition.events.flatMap(({ set }) => set.filter(({ kind }) => kind === 'occurredAt'))
  const times = new Set([...bound.map(({ column }) => column), definition.updatedAt])
  const zoneless = table.columns.some(
    ({ name, baseTypeName }) => times.has(name) && baseTypeName !== 'timestamptz',
  )
  return zoneless ? definition.timeZone : null
}
