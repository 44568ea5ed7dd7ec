import type { CatalogTable } from '../catalog/index.js'
import type { AggregateDefinition, EventDefinition, Predicate } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { temporalOf } from './bound-columns.js'
import { nearestName } from './nearest-name.js'

/**
 * Checks a definition against its live table, all but the values of constants. Pure.
 *
 * @throws UsageError for the first thing that does not fit.
 */
export function checkDefinition(definition: AggregateDefinition, table: CatalogTable): void {
  checkEvents(definition)
  checkUpdatedAt(definition, table)
  for (const event of definition.events) {
    checkColumns(definition, event, table)
    checkOccurredAt(definition, event, table)
    checkPlaces(definition, event, table)
    checkNulls(definition, event, table)
    checkAttributes(definition, event)
  }
}

function checkEvents({ name, events, residue }: AggregateDefinition): void {
  const seen = new Set<string>()
  for (const { type } of events) {
    if (type === '') {
      throw new UsageError('EW_EVENT_NAME', `${name}: an event has an empty name`, { next: 'Name it.' })
    }
    if (seen.has(type)) {
      throw new UsageError('EW_EVENT_TWICE', `${name}: two events are called ${type}`, {
        next: 'Rename one of them.',
      })
    }
    seen.add(type)
    if (type === residue.changed || type === residue.deleted) {
      throw new UsageError(
        'EW_EVENT_RESERVED',
        `${name}.${type}: this name is used for what no event explains`,
        { next: "Rename the event, or choose other names with residue: { changed: '…', deleted: '…' }." },
      )
    }
  }
  if (residue.changed === residue.deleted) {
    throw new UsageError('EW_EVENT_TWICE', `${name}: both residue events are called ${residue.changed}`, {
      next: 'Choose two names.',
    })
  }
  if (!events.some(({ creates }) => creates)) {
    throw new UsageError('EW_EVENT_CREATES', `${name}: no event creates a row`, {
      next: 'Add creates: true to the event with which a row begins.',
    })
  }
}

function checkUpdatedAt({ name, updatedAt, events }: AggregateDefinition, table: CatalogTable): void {
  if (updatedAt === null) return
  const column = columnOf(table, updatedAt, `${name}.updatedAt`)
  if (temporalOf(column) === null) {
    throw new UsageError(
      'EW_UPDATED_AT',
      `${name}.updatedAt: ${updatedAt} is ${column.type}, not a timestamp or date`,
      { next: 'Name the column that holds the time of the last update, or leave updatedAt out.' },
    )
  }
  const user = events.find(({ data, set }) =>
    [...data, ...set].some(({ column: other }) => other === updatedAt),
  )
  const inKey = isKey(table, updatedAt)
  if (column.generated || inKey || user !== undefined) {
    const why = user !== undefined ? `used by ${user.type} as well` : inKey ? 'part of the key' : 'generated'
    throw new UsageError('EW_UPDATED_AT', `${name}.updatedAt: ${updatedAt} is ${why}`, {
      next: 'It travels in the last event of each write by itself: name it nowhere else.',
    })
  }
}

function checkColumns(definition: AggregateDefinition, event: EventDefinition, table: CatalogTable): void {
  const where = `${definition.name}.${event.type}`
  for (const { column: name } of [...event.data, ...event.set]) {
    const column = columnOf(table, name, where)
    if (column.generated) {
      throw new UsageError('EW_COLUMN_GENERATED', `${where}: ${name} is a generated column`, {
        next: 'Leave it out: the database computes it from the others.',
        details: { column: name },
      })
    }
  }
  for (const name of event.when === null ? [] : predicateColumns(event.when)) {
    if (columnOf(table, name, `${where}.when`).generated) {
      throw new UsageError('EW_COLUMN_GENERATED', `${where}.when: ${name} is a generated column`, {
        next: 'Ask about the columns from which it is computed.',
        details: { column: name },
      })
    }
  }
}

function checkPlaces(definition: AggregateDefinition, event: EventDefinition, table: CatalogTable): void {
  const where = `${definition.name}.${event.type}`
  const carried = event.data.map(({ column }) => column)
  const set = event.set.map(({ column }) => column)
  const both = carried.find((column) => set.includes(column))
  if (both !== undefined) {
    throw new UsageError('EW_COLUMN_TWICE', `${where}: ${both} is both in data and in set`, {
      next: 'Keep it in one of them: an event carries a column, or sets it.',
      details: { column: both },
    })
  }
  const twice = firstTwice(carried) ?? firstTwice(set)
  if (twice !== undefined) {
    throw new UsageError('EW_COLUMN_TWICE', `${where}: ${twice} is named twice`, {
      next: 'Name it once.',
      details: { column: twice },
    })
  }
  const key = set.find((column) => isKey(table, column))
  if (key !== undefined) {
    throw new UsageError('EW_COLUMN_KEY', `${where}: ${key} is part of the key`, {
      next: 'Leave it out of set: the key names the stream, and a changed key is another stream.',
      details: { column: key },
    })
  }
}

/** An event that sets NULL where the table refuses it could never be recognised nor applied. */
function checkNulls(definition: AggregateDefinition, event: EventDefinition, table: CatalogTable): void {
  for (const assignment of event.set) {
    if (assignment.kind !== 'constant' || assignment.value !== null) continue
    const where = `${definition.name}.${event.type}`
    if (columnOf(table, assignment.column, where).nullable) continue
    throw new UsageError(
      'EW_CONSTANT',
      `${where}: ${assignment.column} is NOT NULL and can't be set to null`,
      {
        next: 'Set it to a value, or leave it out.',
        details: { column: assignment.column },
      },
    )
  }
}

/** The first column bound to the time of occurrence gives that time, so it must hold one. */
function checkOccurredAt(definition: AggregateDefinition, event: EventDefinition, table: CatalogTable): void {
  for (const assignment of event.set) {
    if (assignment.kind !== 'occurredAt') continue
    const where = `${definition.name}.${event.type}`
    const column = columnOf(table, assignment.column, where)
    if (temporalOf(column) !== null) continue
    throw new UsageError(
      'EW_OCCURRED_AT',
      `${where}: ${column.name} is ${column.type}, and no time can be read from it`,
      {
        next: 'Bind occurredAt to a timestamp with or without time zone, or to a date.',
        details: { column: column.name, type: column.type },
      },
    )
  }
}

function checkAttributes({ name }: AggregateDefinition, event: EventDefinition): void {
  const twice = firstTwice([...event.data.map(({ attribute }) => attribute), ...event.facts])
  if (twice === undefined) return
  throw new UsageError('EW_ATTRIBUTE_TWICE', `${name}.${event.type}: two attributes are called ${twice}`, {
    next: 'Rename one of them.',
    details: { attribute: twice },
  })
}

function columnOf(table: CatalogTable, name: string, where: string) {
  const column = table.columns.find((candidate) => candidate.name === name)
  if (column !== undefined) return column
  const names = table.columns.map((other) => other.name)
  throw new UsageError(
    'EW_COLUMN_UNKNOWN',
    `${where}: ${table.schema}.${table.name} has no column ${JSON.stringify(name)}`,
    {
      next: `${nearestName(name, names)}Its columns: ${names.slice(0, 30).join(', ')}${names.length > 30 ? ', …' : ''}.`,
      details: { schema: table.schema, table: table.name, column: name },
    },
  )
}

function isKey(table: CatalogTable, column: string): boolean {
  return table.key?.columns.some(({ name }) => name === column) ?? false
}

function predicateColumns(predicate: Predicate): readonly string[] {
  switch (predicate.op) {
    case 'and':
    case 'or':
      return predicate.of.flatMap(predicateColumns)
    case 'not':
      return predicateColumns(predicate.of)
    default:
      return [predicate.column]
  }
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}
