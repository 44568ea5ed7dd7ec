import { UsageError } from '../errors/index.js'
import { type AggregateDefinition, type EventDefinition, RESIDUE_MEMBER } from './model.js'

/**
 * Checks the names that a definition gives: its events' and their attributes'. Pure.
 *
 * @throws UsageError EW_EVENT_NAME, EW_EVENT_TWICE, EW_EVENT_RESERVED, EW_EVENT_CREATES, EW_ATTRIBUTE_NAME,
 *   EW_ATTRIBUTE_TWICE
 */
export function checkNames(definition: AggregateDefinition): void {
  const { name, events, residue } = definition
  for (const event of events) {
    checkEventName(event.type, definition)
    checkAttributes(event, `${name}.${event.type}`)
  }
  const twice = firstTwice(events.map(({ type }) => type))
  if (twice !== undefined) {
    throw new UsageError('EW_EVENT_TWICE', `${name}: two events are called ${twice}`, {
      next: 'Rename one of them.',
    })
  }
  if (residue.changed === residue.deleted) {
    throw new UsageError('EW_EVENT_TWICE', `${name}: both residue events are called ${residue.changed}`, {
      next: 'Choose two names.',
    })
  }
  if (
    events.some(({ creates }) => creates) &&
    !events.some(({ creates, apply }) => creates && apply === undefined)
  ) {
    throw new UsageError('EW_EVENT_CREATES', `${name}: every event that creates a row has an apply`, {
      next: 'Let one of them do without: rows that are there already, and those of old code, begin with it.',
    })
  }
  if (!events.some(({ creates }) => creates)) {
    throw new UsageError('EW_EVENT_CREATES', `${name}: no event creates a row`, {
      next: 'Add creates: true to the event with which a row begins.',
    })
  }
}

function checkEventName(type: string, { name, residue }: AggregateDefinition): void {
  const problem = nameProblem(type)
  if (problem !== null) {
    throw new UsageError('EW_EVENT_NAME', `${name}: an event's name ${JSON.stringify(type)} ${problem}`, {
      next: 'Name it in the past tense: Activated.',
    })
  }
  // JavaScript puts members called 0, 1, 2 first, whatever the order in which they are written.
  if (/^\d+$/.test(type)) {
    throw new UsageError('EW_EVENT_NAME', `${name}: an event's name ${JSON.stringify(type)} is a number`, {
      next: 'Begin it with a letter: the order of declaration would be lost.',
    })
  }
  if (type === residue.changed || type === residue.deleted) {
    throw new UsageError(
      'EW_EVENT_RESERVED',
      `${name}.${type}: this name is used for what no event explains`,
      { next: "Rename the event, or choose other names with residue: { changed: '…', deleted: '…' }." },
    )
  }
}

function checkAttributes({ data, facts }: EventDefinition, where: string): void {
  const names = [...data.map(({ attribute }) => attribute), ...facts]
  for (const attribute of names) {
    const problem = attribute === RESIDUE_MEMBER ? 'is kept for residue' : nameProblem(attribute)
    if (problem === null) continue
    throw new UsageError(
      'EW_ATTRIBUTE_NAME',
      `${where}: an attribute's name ${JSON.stringify(attribute)} ${problem}`,
      {
        next: "Give it another name: data: { attribute: 'column' }.",
        details: { attribute },
      },
    )
  }
  const twice = firstTwice(names)
  if (twice === undefined) return
  throw new UsageError('EW_ATTRIBUTE_TWICE', `${where}: two attributes are called ${twice}`, {
    next: 'Rename one of them.',
    details: { attribute: twice },
  })
}

/** PostgreSQL's text and jsonb hold neither NUL nor half of a surrogate pair. */
function nameProblem(name: string): string | null {
  if (name === '') return 'is empty'
  return /[\0\p{Cs}]/u.test(name) ? 'has a character that PostgreSQL can not store' : null
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}
