import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import { RESIDUE_MEMBER } from '../definition/index.js'
import type { InferredAggregate, InferredAssignment, InferredEvent, ObservedStatuses } from './inferred.js'
import { happened, stem } from './past-tense.js'
import { arePlaces, statusColumns } from './status-columns.js'
import { type LifecycleColumn, type TimeColumns, timeColumns } from './time-columns.js'
import { pascalCase, words } from './words.js'

/**
 * Infers a table's definition from its columns' names and types and the statuses present in its rows. What it can't
 * tell is carried by `Created`, and later changes of it are residue: the definition is lossless as it is. Pure.
 */
export function inferAggregate(
  table: CatalogTable,
  options: { readonly name: string; readonly statuses: ObservedStatuses; readonly timeZone: string },
): InferredAggregate {
  const times = timeColumns(table)
  const drafts = new Map<string, Draft>()
  for (const lifecycle of times.lifecycle) drafts.set(lifecycle.event, lifecycleDraft(lifecycle, table))
  const initial = new Map<string, string>()
  for (const column of statusColumns(table)) {
    addStatuses(column, options.statuses.get(column.name) ?? [], { drafts, initial, times })
  }
  const events = [
    created(table, times, { drafts, initial }),
    ...[...drafts.values()].map(({ event }) => event),
  ]
  return {
    name: options.name,
    schema: table.schema,
    table: table.name,
    updatedAt: times.updated,
    timeZone: needsZone(table, events, times.updated) ? options.timeZone : null,
    events,
  }
}

interface Draft {
  readonly event: InferredEvent
  readonly lifecycle: LifecycleColumn | null
}

interface Findings {
  readonly drafts: Map<string, Draft>
  /** Status column -> the status with which a row begins. */
  readonly initial: Map<string, string>
}

/** Who and why travel with what they explain: cancelled_by, cancellation_reason. */
function lifecycleDraft(lifecycle: LifecycleColumn, table: CatalogTable): Draft {
  const key = new Set(table.key?.columns.map(({ name }) => name))
  const data = table.columns
    .filter(({ name, generated }) => !generated && !key.has(name) && explains(name, lifecycle))
    .map(({ name }) => name)
  const set = [{ column: lifecycle.column, kind: 'occurredAt' }] as const
  return { event: { type: lifecycle.event, creates: false, data, set }, lifecycle }
}

function explains(column: string, lifecycle: LifecycleColumn): boolean {
  const parts = words(column)
  const ending = parts.findLastIndex((word) => ['by', 'reason', 'note', 'notes', 'comment'].includes(word))
  const subject = parts.slice(0, ending)
  const tail = parts.slice(ending + 1)
  if (ending < 1 || !tail.every((word) => word === 'id')) return false
  return subject.map(stem).join(' ') === lifecycle.stem.map(stem).join(' ')
}

function addStatuses(
  column: CatalogColumn,
  observed: readonly string[],
  { drafts, initial, times }: Findings & { readonly times: TimeColumns },
): void {
  if (arePlaces(observed)) return
  const present = observed.length > 0 ? observed : (column.enumLabels ?? []).slice(0, 12)
  const first = initialStatus(column, present)
  if (first !== null) initial.set(column.name, first)
  for (const status of inLabelOrder(column, present)) {
    const set = { column: column.name, kind: 'constant', value: status } as const
    const match = times.lifecycle.find((lifecycle) => meansTheSame(status, lifecycle))
    const draft = match === undefined ? undefined : drafts.get(match.event)
    if (draft !== undefined) {
      // One event sets a column to one value; a second spelling of the same status is left to residue.
      const taken = draft.event.set.some((assignment) => assignment.column === column.name)
      if (!taken) drafts.set(draft.event.type, withSet(draft, set))
    } else if (status !== first) {
      const type = statusEvent(column, status, drafts)
      if (type !== null)
        drafts.set(type, { event: { type, creates: false, data: [], set: [set] }, lifecycle: null })
    }
  }
}

function withSet(draft: Draft, set: InferredAssignment): Draft {
  return { ...draft, event: { ...draft.event, set: [set, ...draft.event.set] } }
}

function meansTheSame(status: string, lifecycle: LifecycleColumn): boolean {
  return words(status).map(stem).join(' ') === lifecycle.stem.map(stem).join(' ')
}

/** The default of the column, where it is a constant; else a word with which things begin. */
function initialStatus(column: CatalogColumn, present: readonly string[]): string | null {
  const fallback = /^'((?:[^']|'')*)'::[^(]+(\(\d+\))?$/
    .exec(column.default ?? '')?.[1]
    ?.replaceAll("''", "'")
  if (fallback !== undefined && !fallback.includes('\\')) return fallback
  const known = [...present, ...(column.enumLabels ?? [])]
  for (const word of ['unpaid', 'new', 'pending', 'draft', 'open', 'created']) {
    const found = known.find((status) => status.toLowerCase() === word)
    if (found !== undefined) return found
  }
  return null
}

function inLabelOrder(column: CatalogColumn, present: readonly string[]): readonly string[] {
  const labels = column.enumLabels
  return labels === null ? [...present].sort() : labels.filter((label) => present.includes(label))
}

/** `paused` -> Paused, `in transit` -> MarkedInTransit; a name that is taken gets the column's own words before it. */
function statusEvent(column: CatalogColumn, status: string, drafts: Findings['drafts']): string | null {
  const parts = words(status)
  if (parts.length === 0) return null
  const name = pascalCase(happened(parts) ?? ['marked', ...parts])
  const prefixed = `${pascalCase(words(column.name).slice(0, -1))}${name}`
  const free = (candidate: string) =>
    !drafts.has(candidate) && !['Created', 'Changed', 'Deleted'].includes(candidate)
  return [name, prefixed, `Marked${pascalCase(parts)}`].find(free) ?? null
}

/** Carries all that no other event holds; sets what a row begins with. */
function created(table: CatalogTable, times: TimeColumns, { drafts, initial }: Findings): InferredEvent {
  // No attribute may be called as residue's own member is: such a column travels as residue.
  const held = new Set<string>([
    RESIDUE_MEMBER,
    ...initial.keys(),
    ...[times.created, times.updated].filter((name) => name !== null),
  ])
  for (const column of table.key?.columns ?? []) held.add(column.name)
  for (const { event } of drafts.values()) {
    for (const column of [...event.data, ...event.set.map((assignment) => assignment.column)])
      held.add(column)
  }
  const data = table.columns
    .filter(({ name, generated }) => !generated && !held.has(name))
    .map(({ name }) => name)
  const constants = [...initial].map(([column, value]) => ({ column, kind: 'constant', value }) as const)
  const bound = times.created === null ? [] : [{ column: times.created, kind: 'occurredAt' } as const]
  return { type: 'Created', creates: true, data, set: [...constants, ...bound] }
}

function needsZone(table: CatalogTable, events: readonly InferredEvent[], updated: string | null): boolean {
  const bound = events.flatMap(({ set }) => set.filter(({ kind }) => kind === 'occurredAt'))
  const names = new Set([...bound.map(({ column }) => column), updated])
  return table.columns.some(({ name, baseTypeName }) => names.has(name) && baseTypeName !== 'timestamptz')
}
