import { type AggregateDefinition, tableName } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import type { BackfillOptions } from './backfill-result.js'

/**
 * Looks at a backfill's options. Pure.
 *
 * @throws UsageError EW_OPTION; GateError EW_CONFIRM where a restart lacks consent.
 */
export function checkOptions(definition: AggregateDefinition, options: BackfillOptions): void {
  wholeNumber('workers', options.workers)
  wholeNumber('chunkRows', options.chunkRows)
  wholeNumber('maxRate', options.maxRate)
  wholeNumber('patienceMs', options.patienceMs)
  if (options.restart !== true) return
  if (options.dryRun === true) {
    throw new UsageError('EW_OPTION', 'restart and dryRun exclude each other: a restart archives events', {
      next: 'Leave one of them out.',
    })
  }
  const name = tableName(definition.table)
  if (options.confirm === name) return
  throw new GateError('EW_CONFIRM', `${name}: a restart archives its events and writes them anew`, {
    next: `Say so by \`--confirm ${shellWord(name)}\`.`,
    details: { table: name },
  })
}

function wholeNumber(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw new UsageError('EW_OPTION', `${name} must be a whole number above 0, not ${value}`, {
    next: `Give ${name} a whole number above 0, or leave it out.`,
  })
}
