import { createHash } from 'node:crypto'
import { sqlstateOf } from '../db/index.js'
import { UsageError } from '../errors/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { appendedEvent } from './appended-event.js'
import { askPhase } from './ask-phase.js'
import type { Appended } from './call-command.js'
import type { CallerConnection } from './caller-connection.js'
import { readingSession } from './caller-session.js'
import { bindingOf } from './command-binding.js'
import type { CommandPlan, Slots } from './command-plan.js'
import type { AppendedEvent } from './command-types.js'
import type { Ground } from './target-run.js'

/** A command that is to act once, however often it is sent. */
export interface Claim {
  readonly key: string
  readonly plan: CommandPlan
  readonly input: unknown
}

/** Positions by slot; null for a command that had nothing to do. */
export type Earlier = Slots<readonly string[]> | null

/**
 * Takes a key for this transaction. Who comes second waits until the first has ended: `eventward.command_keys` has a
 * unique key, and nothing else is held.
 *
 * @returns undefined where the key is ours now; else what the command did the first time.
 * @throws UsageError EW_COMMAND_KEY where another command, or other attributes, had the key.
 */
export async function claimKey(
  connection: CallerConnection,
  { key, plan, input }: Claim,
): Promise<Earlier | undefined> {
  const answers = await connection
    .run([
      sql`select eventward.claim_command(${key}::pg_catalog.text, ${plan.named.where}::pg_catalog.text,
        ${fingerprint(input)}::pg_catalog.text) as earlier`,
    ])
    .catch((error: unknown) => {
      throw sqlstateOf(error) === 'EW012' ? otherUse(key, plan, error) : error
    })
  const earlier = answers[0]?.rows[0]?.['earlier']
  return earlier == null ? undefined : (JSON.parse(earlier) as Earlier)
}

/** Notes what the command did under its key; in its transaction. */
export async function finishKey(
  connection: CallerConnection,
  key: string,
  appended: Appended,
): Promise<void> {
  const done =
    appended === null
      ? null
      : Object.fromEntries(
          Object.entries(appended).map(([slot, events]) => [slot, events.map(({ position }) => position)]),
        )
  await connection.run([
    sql`select eventward.finish_command(${key}::pg_catalog.text, ${JSON.stringify(done)}::pg_catalog.text)`,
  ])
}

/** The events of the first time, as they are stored. */
export async function earlierEvents(
  ground: Ground,
  plan: CommandPlan,
  earlier: Slots<readonly string[]>,
): Promise<Slots<readonly AppendedEvent[]>> {
  const { knex, connection } = ground
  const all: [string, readonly AppendedEvent[]][] = []
  for (const { slot, aggregate, named } of plan.targets) {
    const positions = earlier[slot]
    if (positions === undefined) continue
    const locked = await askPhase(connection, aggregate, named)
    const { model, events } = await bindingOf({ knex, connection, definition: aggregate, ...locked })
    const rows = await readingSession(connection).rows<Record<string, string>>(sql`
      select e.aggregate_id, e.position, e.version, e.type, e.schema_version, e.data, e.metadata, e.occurred_at, e.recorded_at
      from ${raw(qualified(events.schema, events.table))} as e
      where e.aggregate_type = ${model.name}::text
        and e.position = any (${positions}::bigint[])
      order by e.position`)
    all.push([slot, rows.map((row) => appendedEvent(model, row['aggregate_id'] ?? '', row))])
  }
  return Object.fromEntries(all)
}

function otherUse(key: string, { named }: CommandPlan, cause: unknown): UsageError {
  return new UsageError(
    'EW_COMMAND_KEY',
    `${named.where}: the idempotency key ${JSON.stringify(key)} was used for another command, or with other attributes`,
    {
      next: 'Nothing was written: give each command that is sent anew a key of its own.',
      details: { key },
      cause,
    },
  )
}

/** The same for the same input, whatever the order in which it was put together. */
function fingerprint(input: unknown): string {
  return createHash('sha256').update(sorted(input)).digest('hex')
}

function sorted(value: unknown): string {
  if (typeof value === 'bigint') return JSON.stringify(String(value))
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if ('toJSON' in value && typeof value.toJSON === 'function') return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${sorted(member)}`).join(',')}}`
}
