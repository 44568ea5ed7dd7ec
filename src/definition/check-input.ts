import { UsageError } from '../errors/index.js'
import { checkApplies, checkUpcasters, checkUpcasts } from './check-upcasts.js'
import { nearestName } from './nearest-name.js'

/**
 * Refuses what is no definition at all, where no compiler did: an option that does not exist, a list where a record
 * belongs, a predicate that is none. What it names is checked by `checkDefinition`.
 *
 * @throws UsageError EW_DEFINITION
 */
export function checkInput(input: unknown): void {
  if (!isRecord(input)) refuse('defineAggregate', 'takes one object', 'Give it { name, table, events }.')
  const { name, table, events, residue, base, apply, upcasters } = input
  const where = isText(name) ? name : 'an aggregate'
  checkOptions(input, AGGREGATE_OPTIONS, where)
  if (!isName(name)) refuse('an aggregate', 'has no usable name', "Write name: 'Subscription'.")
  if (!isRecord(table) || !isRecord(table['columns']) || !Array.isArray(table['key'])) {
    refuse(where, 'has no table', 'Take it from eventward.tables.ts, which `eventward generate` writes.')
  }
  if (!isRecord(events)) refuse(where, 'has no events', 'Write events: { Created: { creates: true, ... } }.')
  for (const [type, event] of Object.entries(events)) checkEvent(event, `${where}.${type}`)
  oneOf(input['directWrites'], ['capture', 'refuse'], `${where}.directWrites`)
  optional(input['timeZone'], isName, `${where}.timeZone`, "a zone's name, such as 'Europe/Berlin'")
  optional(input['updatedAt'], isText, `${where}.updatedAt`, "a column's name")
  optional(residue, isRecord, `${where}.residue`, "{ changed: '…', deleted: '…' }")
  if (isRecord(residue)) {
    checkOptions(residue, ['changed', 'deleted'], `${where}.residue`)
    optional(residue['changed'], isName, `${where}.residue.changed`, 'the name of an event')
    optional(residue['deleted'], isName, `${where}.residue.deleted`, 'the name of an event')
  }
  if (base !== undefined) {
    checkEvent(base, `${where}.base`)
    if (isRecord(base)) checkOptions(base, ['data', 'facts', 'set'], `${where}.base`)
  }
  checkApplies(apply, events, where)
  checkUpcasters(upcasters, events, where)
}

const AGGREGATE_OPTIONS = [
  'name',
  'table',
  'events',
  'updatedAt',
  'timeZone',
  'directWrites',
  'residue',
  'base',
  'apply',
  'upcasters',
] as const
const EVENT_OPTIONS = ['creates', 'schemaVersion', 'data', 'facts', 'set', 'when', 'upcast', 'from'] as const
/** `events.schema_version` is an int. */
const MAX_SCHEMA_VERSION = 2_147_483_647

function checkEvent(event: unknown, where: string): void {
  if (!isRecord(event)) refuse(where, 'is no event', "Write { data: ['column'], set: { ... } }.")
  checkOptions(event, EVENT_OPTIONS, where)
  const { creates, schemaVersion, data, facts, set, when } = event
  oneOf(creates, [true, false], `${where}.creates`)
  optional(schemaVersion, isVersion, `${where}.schemaVersion`, 'a whole number above 0')
  const columns = isRecord(data) ? Object.values(data) : data
  optional(columns, isTexts, `${where}.data`, "a list of columns, or { attribute: 'column' }")
  optional(facts, isRecord, `${where}.facts`, '{ name: schema }')
  for (const [name, schema] of Object.entries(facts ?? {})) {
    if (!isSchema(schema)) {
      refuse(
        `${where}.facts.${name}`,
        'is no Standard Schema',
        'Use one of zod, valibot, arktype, or your own.',
      )
    }
  }
  optional(set, isRecord, `${where}.set`, '{ column: value }')
  for (const [column, value] of Object.entries(set ?? {})) checkAssigned(value, `${where}.set.${column}`)
  optional(when, isPredicate, `${where}.when`, 'a predicate, such as becomes(column, value)')
  checkUpcasts(event, where)
}

function checkAssigned(value: unknown, where: string): void {
  if (isConstant(value)) return
  if (isRecord(value) && value['kind'] === 'occurredAt') return
  if (isRecord(value) && value['kind'] === 'lookup' && isRecord(value['table']) && isRecord(value['where']))
    return
  refuse(where, 'is no value', 'Give a string, number, bigint, boolean or null, occurredAt, or lookup(...).')
}

function isPredicate(value: unknown): boolean {
  if (!isRecord(value)) return false
  switch (value['op']) {
    case 'is':
    case 'was':
    case 'becomes':
      return isText(value['column']) && isConstant(value['value'])
    case 'becameNotNull':
    case 'changes':
      return isText(value['column'])
    case 'and':
    case 'or':
      return Array.isArray(value['of']) && value['of'].every(isPredicate)
    case 'not':
      return isPredicate(value['of'])
    default:
      return false
  }
}

function checkOptions(object: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name))
  if (unknown === undefined) return
  refuse(
    where,
    `has no option ${JSON.stringify(unknown)}`,
    `${nearestName(unknown, known)}Known are ${known.join(', ')}.`,
  )
}

function optional(value: unknown, fits: (value: unknown) => boolean, where: string, what: string): void {
  if (value !== undefined && !fits(value)) refuse(where, `is not ${what}`, `Write ${what}, or leave it out.`)
}

function oneOf(value: unknown, allowed: readonly (string | boolean)[], where: string): void {
  const fits = allowed.some((one) => one === value)
  optional(value, () => fits, where, allowed.map((one) => JSON.stringify(one)).join(' or '))
}

function refuse(where: string, what: string, next: string): never {
  throw new UsageError('EW_DEFINITION', `${where} ${what}`, { next })
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
/** PostgreSQL's text holds neither NUL nor half of a surrogate pair. */
const isName = (value: unknown): value is string =>
  isText(value) && value !== '' && !/[\0\p{Cs}]/u.test(value)
const isVersion = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_SCHEMA_VERSION
const isConstant = (value: unknown): boolean =>
  value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema may be a function: arktype's are. */
function isSchema(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return '~standard' in value
}
