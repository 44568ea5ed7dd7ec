import { createHash } from 'node:crypto'
import type { CatalogTable } from '../catalog/index.js'
import type {
  AggregateDefinition,
  BoundEvent,
  BoundModel,
  EventDefinition,
  EventShape,
  RowHistory,
} from '../definition/index.js'
import { boundColumns } from './bound-columns.js'
import { definitionHash } from './definition-hash.js'
import { eventCondition } from './lower-condition.js'
import type { ResolvedValues } from './resolve-values.js'

/** Puts a checked definition, its live table and its resolved values together. Pure. */
export function assembleModel(
  definition: AggregateDefinition,
  table: CatalogTable,
  {
    values,
    frozen,
    history = null,
  }: {
    readonly values: ResolvedValues
    readonly frozen: readonly EventShape[]
    readonly history?: RowHistory | null
  },
): BoundModel {
  const events = definition.events.map((event) => boundEvent(event, values))
  const residue = { changed: definition.residue.changed, deleted: definition.residue.deleted }
  const meaning = {
    name: definition.name,
    schema: table.schema,
    table: table.name,
    key: table.key?.columns.map(({ name }) => name) ?? [],
    events,
    updatedAt: definition.updatedAt,
    timeZone: definition.timeZone,
    residue,
  }
  const applies = definition.events.flatMap(({ type, apply }) =>
    apply === undefined ? [] : [[type, apply.run] as const],
  )
  return {
    ...meaning,
    ...(applies.length === 0 ? {} : { applies: Object.fromEntries(applies) }),
    ...(definition.upcasts === undefined ? {} : { upcasts: definition.upcasts }),
    columns: boundColumns(table, definition.table),
    shapes: allShapes(events.map(shapeOnly), residue, frozen),
    ...(history === null ? {} : { history }),
    hash: definitionHash(meaning),
  }
}

function boundEvent(event: EventDefinition, values: ResolvedValues): BoundEvent {
  const effect = event.creates ? 'creates' : 'changes'
  const shape = {
    type: event.type,
    schemaVersion: event.schemaVersion,
    effect,
    data: event.data.map(({ attribute, column }) => ({ attribute, column })),
    facts: [...event.facts],
    constants: event.set.flatMap((assignment) =>
      assignment.kind === 'occurredAt'
        ? []
        : [{ column: assignment.column, value: values.assigned(assignment) }],
    ),
    bound: event.set.flatMap(({ kind, column }) => (kind === 'occurredAt' ? [column] : [])),
    ...(event.apply === undefined ? {} : { apply: hashOf(event.apply.known) }),
  } as const
  return { ...shape, condition: eventCondition(event, withoutInherited(shape, event), values.canonical) }
}

/** What all events have in common tells none of them. */
function withoutInherited(shape: EventShape, { inherited = [] }: EventDefinition): EventShape {
  if (inherited.length === 0) return shape
  const own = (column: string) => !inherited.includes(column)
  return {
    ...shape,
    data: shape.data.filter(({ column }) => own(column)),
    constants: shape.constants.filter(({ column }) => own(column)),
    bound: shape.bound.filter(own),
  }
}

function hashOf(known: string): string {
  return createHash('sha256').update(known).digest('hex')
}

function shapeOnly({ condition: _, ...shape }: BoundEvent): EventShape {
  return shape
}

/** What is declared now comes first and wins: a frozen meaning under the same version is `registerDefinition`'s matter. */
function allShapes(
  current: readonly EventShape[],
  residue: BoundModel['residue'],
  frozen: readonly EventShape[],
): readonly EventShape[] {
  const shapes = new Map<string, EventShape>()
  const residual = [residueShape(residue.changed, 'changes'), residueShape(residue.deleted, 'deletes')]
  for (const shape of [...current, ...residual, ...frozen]) {
    const version = JSON.stringify([shape.type, shape.schemaVersion])
    if (!shapes.has(version)) shapes.set(version, shape)
  }
  return [...shapes.values()]
}

function residueShape(type: string, effect: 'changes' | 'deletes'): EventShape {
  return { type, schemaVersion: 1, effect, data: [], facts: [], constants: [], bound: [] }
}
