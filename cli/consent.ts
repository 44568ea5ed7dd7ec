import { isCancel, text as question } from '@clack/prompts'
import type { Database } from '../src/db/index.js'
import { type TableDescription, tableName } from '../src/definition/index.js'
import { StoppedError, shellWord, UsageError } from '../src/errors/index.js'
import type { Host } from './host.js'

export interface ConsentTo {
  readonly table: Pick<TableDescription, 'schema' | 'name'>
  /** `advance (dual_write → event_first)` */
  readonly what: string
  /** What --confirm says. */
  readonly confirm: string | undefined
}

/**
 * Has whoever runs a step type out the name of its table; where there is no terminal, --confirm says it. No
 * configuration can.
 *
 * @throws UsageError EW_CONFIRM; StoppedError EW_STOPPED where it isn't confirmed
 */
export async function consent(
  { io }: Host,
  { target }: Database,
  { table, what, confirm }: ConsentTo,
): Promise<void> {
  const name = tableName(table)
  const names = [name, `${table.schema}.${table.name}`]
  if (confirm !== undefined) {
    if (names.includes(confirm)) return
    throw new UsageError('EW_CONFIRM', `--confirm ${confirm} is another table than ${name}`, {
      next: `Write --confirm ${shellWord(name)} where that is meant.`,
      details: { table: name, confirm },
    })
  }
  if (!io.interactive) {
    throw new UsageError('EW_CONFIRM', `${name}: ${what} wants consent, and nobody can be asked`, {
      next: `Add --confirm ${shellWord(name)}.`,
      details: { table: name },
    })
  }
  const answer = await question({
    message: `${target.database}@${target.host} · ${what} · type the table:`,
    placeholder: name,
    output: io.stderr,
  })
  if (!isCancel(answer) && names.includes(answer)) return
  throw new StoppedError('EW_STOPPED', `${name}: ${what} was not confirmed`, { next: 'Nothing was changed.' })
}
