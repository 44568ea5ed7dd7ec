import type { BoundColumn, BoundModel, EventShape } from '../definition/index.js'

/**
 * Whether a column carried beyond an event's declared attributes must stand under `$residue`: its own name would be
 * taken for an attribute or a fact, is reserved, or is unknown to the definition.
 */
export function standsInResidue(shape: Pick<EventShape, 'data' | 'facts'>, column: BoundColumn): boolean {
  return (
    !column.known ||
    column.name.startsWith('$') ||
    shape.facts.includes(column.name) ||
    shape.data.some(({ attribute }) => attribute === column.name)
  )
}

/**
 * Columns that some event other than a creating one sets or carries. On creation what they hold unexplained is
 * residue (`Changed`); any other column travels in the creating event.
 */
export function laterColumns(model: BoundModel): ReadonlySet<string> {
  const later = model.events.filter((event) => event.effect === 'changes' && isRecognisable(event))
  return new Set(later.flatMap(columnsOf))
}

/** Whether a write can mean an event: what one does in code, no row tells. */
export function isRecognisable({ apply }: EventShape): boolean {
  return apply === undefined
}

/** Every column that an event sets or carries. */
export function columnsOf(shape: EventShape): readonly string[] {
  return [
    ...shape.data.map(({ column }) => column),
    ...shape.constants.map(({ column }) => column),
    ...shape.bound,
  ]
}
