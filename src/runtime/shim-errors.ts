import { type AggregateDefinition, tableName } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'

/** A raw write, which might be to a table whose events nobody else keeps. */
export function rawWrite({ table }: AggregateDefinition): UsageError {
  const name = tableName(table)
  return new UsageError(
    'EW_SHIM_RAW',
    `a raw statement writes, and names ${name}: its events would be lost`,
    {
      next: `Write it with knex's builder, or turn capture on (\`eventward capture on ${shellWord(name)}\`) and drop capture: 'shim'.`,
      details: { table: name },
    },
  )
}

/** A write of which the rows can't be told before or after. */
export function unseen({ table }: AggregateDefinition, what: string): UsageError {
  const name = tableName(table)
  return new UsageError('EW_SHIM_UNSEEN', `${name}: ${what}: which rows it changes can't be told`, {
    next: `Write it in another form, or turn capture on (\`eventward capture on ${shellWord(name)}\`) and drop capture: 'shim'.`,
    details: { table: name },
  })
}

/** Triggers keep its events: each would be there twice. */
export function capturedTwice({ table }: AggregateDefinition): GateError {
  const name = tableName(table)
  return new GateError(
    'EW_SHIM_CAPTURED',
    `${name} is captured by triggers: the shim would keep its events twice`,
    {
      next: "Drop capture: 'shim' of this aggregate in withEvents.",
      details: { table: name },
    },
  )
}

/** Nothing is there that events could be written to. */
export function notPrepared({ table }: AggregateDefinition, what: string): GateError {
  const name = tableName(table)
  return new GateError('EW_NOT_CAPTURED', `${name}: ${what}`, {
    next: `Run \`eventward backfill ${shellWord(name)}\`: it registers the definition and makes the partition.`,
    details: { table: name },
  })
}
