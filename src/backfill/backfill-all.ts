import type { Database } from '../db/index.js'
import type { AggregateDefinition } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { backfill } from './backfill.js'
import type { BackfillOptions, BackfillResult } from './backfill-result.js'
import { checkOptions } from './check-options.js'
import { checkBackfill } from './open-backfill.js'

/**
 * Backfills several tables, one after the other. All are looked at before the first is begun, so that a wrong definition
 * of the last one is not found out at night.
 *
 * @param onResult told about each table as it ends: the results of those before an error are kept.
 * @throws as `backfill`; UsageError EW_RESTART_MANY where more than one table is to be restarted.
 */
export async function backfillAll(
  database: Database,
  definitions: readonly AggregateDefinition[],
  options: BackfillOptions & { readonly onResult?: (result: BackfillResult) => void } = {},
): Promise<readonly BackfillResult[]> {
  if (options.restart === true && definitions.length !== 1) {
    throw new UsageError('EW_RESTART_MANY', `a restart is of one table, not of ${definitions.length}`, {
      next: 'Name the table: `eventward backfill TABLE --restart --confirm TABLE`.',
    })
  }
  for (const definition of definitions) checkOptions(definition, options)
  // A restart is what makes a changed definition right; a dry run looks by itself.
  if (options.restart !== true && options.dryRun !== true) {
    await database.session(async (session) => {
      for (const definition of definitions) await checkBackfill(session, definition, options)
    })
  }
  const results: BackfillResult[] = []
  for (const definition of definitions) {
    const result = await backfill(database, definition, options)
    options.onResult?.(result)
    results.push(result)
  }
  return results
}
