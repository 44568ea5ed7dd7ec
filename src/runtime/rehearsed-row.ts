import type { Row } from '../definition/index.js'
import { encodeText } from '../encode/index.js'
import { UsageError } from '../errors/index.js'
import { foldStream, type StoredEvent } from '../fold/index.js'
import { attributeTexts } from './attribute-texts.js'
import type { Moment } from './load-row.js'
import { type Built, type Planned, planEvents } from './planned-event.js'
import type { Planning } from './planned-rows.js'

/** An event that has happened. What no event explains is given by column, under the name of the aggregate's residue. */
export interface GivenEvent extends Built {
  /** When it happened. @default the time at which the command is called */
  readonly at?: Moment
}

interface Given {
  readonly id: string
  readonly given: readonly GivenEvent[]
  readonly now: Moment
  readonly defaults: Row
}

/**
 * The row that given events lead to, and its version.
 *
 * @throws UsageError EW_TESTING_GIVEN for events that can't have happened one after the other.
 */
export async function rehearsedRow(
  planning: Planning,
  { id, given, now, defaults }: Given,
): Promise<{ readonly row: Row | null; readonly version: number }> {
  const planned: Planned[] = []
  for (const { at = now, ...event } of given) {
    planned.push(...(await planGiven(planning, event, { now: at, defaults })))
  }
  const stored = planned.map(
    ({ time, ...event }, index): StoredEvent => ({
      ...event,
      aggregateId: id,
      version: index + 1,
      occurredAt: time.utc,
      localTime: time.local,
    }),
  )
  const { row, problem } = foldStream(planning.binding.model, stored)
  if (problem !== null) throw impossible(planning, problem)
  return { row, version: stored.length }
}

async function planGiven(
  { target, binding, texts }: Planning,
  event: Built,
  { now, defaults }: Pick<Given, 'now' | 'defaults'>,
): Promise<readonly Planned[]> {
  const { named, aggregate: definition } = target
  const { events, residue, columns } = binding.model
  const declared = events.find(({ type }) => type === event.type)
  if (declared === undefined && event.type === residue.deleted) {
    return [{ type: event.type, schemaVersion: 1, data: '{}', time: now }]
  }
  if (declared === undefined && event.type === residue.changed) {
    const given = Object.entries(event.data ?? {}).map(([column, value]) => ({ column, value }))
    const known = await attributeTexts(texts, binding, given, named)
    const members = given.map(({ column: name }, index) => {
      const encoding = columns.find((column) => column.name === name)?.encoding ?? 'text'
      return `${JSON.stringify(name)}:${encodeText(encoding, known[index] ?? null)}`
    })
    return [{ type: event.type, schemaVersion: 1, data: `{${members.join(',')}}`, time: now }]
  }
  const created = declared?.effect === 'creates' ? defaults : {}
  return planEvents({ texts, binding, definition, named, now, built: [event], defaults: created })
}

const PROBLEMS = {
  not_created: 'changes or removes a row that no event before it created',
  created_twice: 'creates a row that is there already',
  unknown_event: 'is no event of the aggregate',
  version_gap: 'does not follow the one before it',
  unreadable: "can't be read",
} as const

function impossible(
  { target }: Planning,
  problem: NonNullable<ReturnType<typeof foldStream>['problem']>,
): UsageError {
  const { kind, version, message } = problem
  return new UsageError(
    'EW_TESTING_GIVEN',
    `${target.aggregate.name}: given event ${version} ${PROBLEMS[kind]}${message === undefined ? '' : `: ${message}`}`,
    { next: 'Give the events in the order in which they happened, the creating one first.' },
  )
}
