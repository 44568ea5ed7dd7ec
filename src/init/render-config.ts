import { tableName } from '../definition/index.js'
import type { InferredTables } from './infer-definitions.js'
import type { InferredAggregate, InferredAssignment, InferredEvent } from './inferred.js'
import {
  commentText,
  listSource,
  memberAccess,
  objectSource,
  propertyName,
  stringLiteral,
} from './source-text.js'

/**
 * The text of `eventward.config.ts`. Tables that can't be moved stand in it as comments, with the reason. `events` names
 * the events table where it can't have its usual name. Pure.
 */
export function renderConfig(
  { aggregates, tables }: Pick<InferredTables, 'aggregates' | 'tables'>,
  schemas: readonly string[] = ['public'],
  events: { readonly schema: string; readonly table: string } | null = null,
): string {
  const imports = aggregates.length > 0 ? ['defineAggregate', 'defineConfig'] : ['defineConfig']
  const bound = aggregates.some(({ events }) =>
    events.some(({ set }) => set.some(({ kind }) => kind === 'occurredAt')),
  )
  if (bound) imports.push('occurredAt')
  const head = [`import { ${imports.join(', ')} } from 'eventward'`]
  if (aggregates.length > 0) head.push("import { tables } from './eventward.tables.js'")
  const refused = tables
    .filter(({ supported }) => !supported)
    .map(
      ({ table, reasons }) => `// ${commentText(table)} ${reasons.map(({ message }) => message).join('; ')}`,
    )
  const parts = [
    head.join('\n'),
    ...aggregates.map(aggregateSource),
    ...(refused.length === 0 ? [] : [['// Not moved:', ...refused].join('\n')]),
    configSource(aggregates, schemas, events),
  ]
  return `${parts.join('\n\n')}\n`
}

function configSource(
  aggregates: readonly InferredAggregate[],
  schemas: readonly string[],
  events: { readonly schema: string; readonly table: string } | null,
): string {
  const names = listSource(
    aggregates.map(({ name }) => name),
    '  ',
    'aggregates: ',
  )
  const isDefault = schemas.length === 1 && schemas[0] === 'public'
  const where = isDefault ? '' : `  schemas: ${listSource(schemas.map(stringLiteral), '  ', 'schemas: ')},\n`
  const kept =
    events === null
      ? ''
      : `  // The usual name, public.events, is not ours to use here.\n  events: { schema: ${stringLiteral(events.schema)}, table: ${stringLiteral(events.table)} },\n`
  return `export default defineConfig({\n${where}${kept}  aggregates: ${names},\n})`
}

function aggregateSource(aggregate: InferredAggregate): string {
  const lines = [
    `name: ${stringLiteral(aggregate.name)}`,
    `table: ${memberAccess('tables', tableName({ schema: aggregate.schema, name: aggregate.table }))}`,
  ]
  if (aggregate.updatedAt !== null) lines.push(`updatedAt: ${stringLiteral(aggregate.updatedAt)}`)
  if (aggregate.timeZone !== null) {
    const assumed =
      '// Assumed: the server’s own. In which zone does the application write its times without one?'
    lines.push(`${assumed}\n  timeZone: ${stringLiteral(aggregate.timeZone)}`)
  }
  const events = aggregate.events.map((event) => `    ${propertyName(event.type)}: ${eventSource(event)},\n`)
  lines.push(`events: {\n${events.join('')}  }`)
  const body = lines.map((line) => `  ${line},\n`).join('')
  return `export const ${aggregate.name} = defineAggregate({\n${body}})`
}

function eventSource(event: InferredEvent): string {
  const members: string[] = []
  if (event.creates) members.push('creates: true')
  if (event.data.length > 0) {
    members.push(`data: ${listSource(event.data.map(stringLiteral), '      ', 'data: ')}`)
  }
  if (event.set.length > 0) {
    members.push(`set: ${objectSource(event.set.map(assignmentSource), '      ', 'set: ')}`)
  }
  return objectSource(members, '    ', `${event.type}: `)
}

function assignmentSource(assignment: InferredAssignment): string {
  const value = assignment.kind === 'occurredAt' ? 'occurredAt' : stringLiteral(assignment.value)
  return `${propertyName(assignment.column)}: ${value}`
}
