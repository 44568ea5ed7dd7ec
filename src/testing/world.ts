import type { Knex } from 'knex'
import { bindDescribed } from '../bind/index.js'
import type { AggregateDefinition, Constant, Row } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { compileFold } from '../fold/index.js'
import type { GivenEvent, Meaning } from '../runtime/index.js'
import { describedTexts } from './canonical-text.js'
import { timeText } from './canonical-time.js'
import { localIn } from './in-zone.js'

/** What finds the key of a looked-up row. */
export type FindKey = (lookup: {
  readonly table: string
  readonly where: Readonly<Record<string, Constant>>
}) => string | number | bigint

type Moment = NonNullable<GivenEvent['at']>

/** A time that is always the same: the clock of the machine is no part of a test. */
export const ALWAYS = '2000-01-01 00:00:00+00'

const bound = new WeakMap<AggregateDefinition, Meaning>()

/** A definition bound to its table's description; once, where it asks for no row of another table. */
export function meaningOf(definition: AggregateDefinition, find?: FindKey): Meaning {
  const known = find === undefined ? bound.get(definition) : undefined
  if (known !== undefined) return known
  const { model, table } = bindDescribed(definition, { texts: describedTexts, lookup: lookups(find) })
  const meaning = { model, table, apply: compileFold(model) }
  if (find === undefined) bound.set(definition, meaning)
  return meaning
}

/** Different rows have different keys, whatever they are. */
function lookups(find: FindKey | undefined) {
  const seen: string[] = []
  return (lookup: {
    readonly table: AggregateDefinition['table']
    readonly where: Readonly<Record<string, Constant>>
  }) => {
    const table = `${lookup.table.schema}.${lookup.table.name}`
    if (find !== undefined) return find({ table, where: lookup.where })
    const name = JSON.stringify([
      table,
      Object.entries(lookup.where).map(([column, value]) => [column, String(value)]),
    ])
    if (!seen.includes(name)) seen.push(name)
    return seen.indexOf(name) + 1
  }
}

/** A time as someone wrote it. @throws UsageError EW_TESTING_GIVEN */
export function momentOf(text: string, { model }: Pick<Meaning, 'model'>): Moment {
  const utc = timeText(text, 'timestamptz', 6)
  if (utc !== null) return { utc, local: localIn(model.timeZone, utc) }
  throw new UsageError('EW_TESTING_GIVEN', `${JSON.stringify(text)} is no time`, {
    next: 'Write it in ISO 8601: 2018-02-01 00:00:00+00.',
  })
}

/** Texts of a new row's defaults: those that were given, and a key that the table makes. */
export function defaultTexts({ model, table }: Meaning, given: Readonly<Record<string, unknown>>): Row {
  const made = model.key.flatMap((name) => {
    const column = table.columns.find((one) => one.name === name)
    if (column === undefined || column.default === null) return []
    const text = MADE[column.baseTypeName]
    return text === undefined ? [] : [[name, text] as const]
  })
  const texts = Object.entries(given).flatMap(([name, value]) => {
    const column = table.columns.find((one) => one.name === name)
    if (column === undefined) return []
    // Of the type that the column's values have, as far as the compiler knows them.
    const [text = null] = describedTexts([{ column, value: value as Constant, where: name }])
    return [[name, text] as const]
  })
  return Object.fromEntries([...made, ...texts])
}

const MADE: Readonly<Record<string, string>> = {
  int2: '1',
  int4: '1',
  int8: '1',
  uuid: '00000000-0000-0000-0000-000000000001',
}

/** Stands for the command's transaction: there is no database to look something up in. */
export const noTransaction = new Proxy(() => undefined, {
  get: (_, name) => {
    // What a test runner or a promise asks of anything that it meets.
    if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined
    throw noDatabase(`.${name}`)
  },
  apply: (_, __, [table]) => {
    throw noDatabase(`(${JSON.stringify(table)})`)
  },
}) as unknown as Knex.Transaction

function noDatabase(use: string): UsageError {
  return new UsageError('EW_TESTING_TRX', `the command uses present.trx${use}, and there is no database`, {
    next: 'Give one that answers, as the option `trx` of `when`, or test it against a database.',
  })
}
