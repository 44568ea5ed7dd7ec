import { UsageError } from '../errors/index.js'
import { checkNames } from './check-names.js'
import { columnOf } from './column-of.js'
import { checkConstant, isTime } from './column-values.js'
import type { AggregateDefinition, EventDefinition, Predicate, TableDescription } from './model.js'

/**
 * Checks a definition against a table's description: the generated one, or one made from the live catalog. Pure.
 *
 * @throws UsageError for the first thing that does not fit; see `defineAggregate`.
 */
export function checkDefinition(definition: AggregateDefinition, table: TableDescription): void {
  checkKey(definition, table)
  checkNames(definition)
  for (const event of definition.events) {
    const where = `${definition.name}.${event.type}`
    checkCarried(event, table, where)
    checkSet(event, table, where)
    if (event.when !== null) checkWhen(event.when, table, `${where}.when`)
  }
  checkUpdatedAt(definition, table)
}

function checkKey({ name }: AggregateDefinition, table: TableDescription): void {
  if (table.key.length === 0) {
    throw new UsageError('EW_KEY_MISSING', `${name}: ${table.schema}.${table.name} has no key`, {
      next: 'Add a primary key, or a unique index over columns that are not null; then run `eventward generate`.',
    })
  }
  for (const column of table.key) columnOf(table, column, `${name}: the key`)
}

function checkCarried({ data }: EventDefinition, table: TableDescription, where: string): void {
  for (const { column } of data) stored(table, column, where, 'Leave it out: the database computes it.')
  const twice = firstTwice(data.map(({ column }) => column))
  if (twice !== undefined) refuseTwice(twice, `${where}: ${twice} is named twice in data`)
}

function checkSet({ data, set }: EventDefinition, table: TableDescription, where: string): void {
  for (const assignment of set) {
    const { column: name } = assignment
    const column = stored(table, name, where, 'Leave it out: the database computes it.')
    if (data.some((carried) => carried.column === name)) {
      refuseTwice(name, `${where}: ${name} is both in data and in set`)
    }
    if (table.key.includes(name)) {
      throw new UsageError('EW_COLUMN_KEY', `${where}: ${name} is part of the key`, {
        next: 'Leave it out of set: the key names the stream, and a changed key is another stream.',
        details: { column: name },
      })
    }
    if (assignment.kind === 'constant') {
      checkConstant({ name, column, value: assignment.value, where: `${where}.set.${name}` })
    } else if (assignment.kind === 'lookup') {
      checkLookup(assignment, `${where}.set.${name}`)
    } else if (!isTime(column)) {
      throw new UsageError(
        'EW_OCCURRED_AT',
        `${where}: ${name} is ${column.type}, and no time can be read from it`,
        {
          next: 'Bind occurredAt to a timestamp with or without time zone, or to a date.',
          details: { column: name, type: column.type },
        },
      )
    }
  }
}

function checkLookup(
  { table, where: wanted }: Extract<EventDefinition['set'][number], { readonly kind: 'lookup' }>,
  where: string,
): void {
  const columns = Object.entries(wanted)
  if (columns.length === 0) {
    throw new UsageError('EW_LOOKUP', `${where}: the lookup names no column`, {
      next: `Say which row of ${table.schema}.${table.name} is meant: { code: 'shipped' }.`,
    })
  }
  for (const [name, value] of columns) {
    const column = columnOf(table, name, where)
    checkConstant({ name, column, value, where: `${where}.${name}` })
  }
}

function checkWhen(predicate: Predicate, table: TableDescription, where: string): void {
  switch (predicate.op) {
    case 'and':
    case 'or':
      for (const part of predicate.of) checkWhen(part, table, where)
      return
    case 'not':
      checkWhen(predicate.of, table, where)
      return
    default: {
      const { column: name } = predicate
      const column = stored(table, name, where, 'Ask about the columns from which it is computed.')
      if ('value' in predicate) checkConstant({ name, column, value: predicate.value, where })
    }
  }
}

function checkUpdatedAt({ name, updatedAt, events }: AggregateDefinition, table: TableDescription): void {
  if (updatedAt === null) return
  const where = `${name}.updatedAt`
  const column = columnOf(table, updatedAt, where)
  if (!isTime(column)) {
    throw new UsageError(
      'EW_UPDATED_AT',
      `${where}: ${updatedAt} is ${column.type}, not a timestamp or date`,
      {
        next: 'Name the column that holds the time of the last update, or leave updatedAt out.',
      },
    )
  }
  const user = events.find(({ data, set }) => [...data, ...set].some((used) => used.column === updatedAt))
  if (column.generated === true || table.key.includes(updatedAt) || user !== undefined) {
    const why =
      user !== undefined
        ? `used by ${user.type} as well`
        : table.key.includes(updatedAt)
          ? 'part of the key'
          : 'generated'
    throw new UsageError('EW_UPDATED_AT', `${where}: ${updatedAt} is ${why}`, {
      next: 'It travels in the last event of each write by itself: name it nowhere else.',
    })
  }
}

/** A column that holds what was written to it. */
function stored(table: TableDescription, name: string, where: string, next: string) {
  const column = columnOf(table, name, where)
  if (column.generated !== true) return column
  throw new UsageError('EW_COLUMN_GENERATED', `${where}: ${name} is a generated column`, {
    next,
    details: { column: name },
  })
}

function refuseTwice(column: string, message: string): never {
  throw new UsageError('EW_COLUMN_TWICE', message, {
    next: 'Name it once: an event carries a column, or sets it.',
    details: { column },
  })
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}
