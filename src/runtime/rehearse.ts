import type { Knex } from 'knex'
import type { Row } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { AskTexts } from './attribute-texts.js'
import type { Meaning } from './command-binding.js'
import { gone, invalid, wrongEvent } from './command-errors.js'
import { keyTexts, validAttributes } from './command-input.js'
import { planKept, type Slots, type Target } from './command-plan.js'
import { decide } from './decide.js'
import type { Moment } from './load-row.js'
import type { Built, Planned } from './planned-event.js'
import {
  givenId,
  type Planning,
  plannedRows,
  presentOf,
  refuseOtherVersion,
  type Seen,
  stateOf,
} from './planned-rows.js'
import { type GivenEvent, rehearsedRow } from './rehearsed-row.js'

/** What stands for the database while a command is carried out without one. */
export interface Rehearsal {
  readonly input: unknown
  readonly streams: (target: Target) => RehearsedStream
  /** Canonical texts of values. */
  readonly texts: AskTexts
  /** `present.trx`. */
  readonly trx: Knex.Transaction
  readonly expectedVersions: Slots<number | undefined>
}

/** What has happened to one of a command's aggregates before. */
export interface RehearsedStream {
  readonly binding: Meaning
  readonly given: readonly GivenEvent[]
  readonly now: Moment
  /** What the table gives a new row by default, by column. */
  readonly defaults: Row
}

/** What a command makes of one of its aggregates. */
export interface Rehearsed {
  readonly binding: Meaning
  /** Null where a row was to be created, and there was nothing to do. */
  readonly id: string | null
  /** The version of the last event before it. */
  readonly version: number
  readonly after: Row | null
  /** None where it stays as it is. */
  readonly events: readonly Planned[]
}

/** What is known of a command's aggregates. */
export function targetsOf(command: object): readonly Target[] {
  return kept(command).targets
}

/**
 * Carries a command out as `call` would, on given events instead of a database: the same steps, and nothing is written.
 *
 * @returns what becomes of each aggregate, by slot.
 * @throws what `call` throws, but for what only a database can find.
 */
export async function rehearse(command: object, rehearsal: Rehearsal): Promise<Slots<Rehearsed>> {
  const plan = kept(command)
  const { keys, rest } = plan.split(rehearsal.input)
  const attributes = await validAttributes(plan.attributes, rest, plan.named)
  const looked: Looked[] = []
  for (const target of plan.targets) looked.push(await look(target, keys[target.slot] ?? {}, rehearsal))
  refuseSameRow(looked)
  const seen = Object.fromEntries(
    looked.map(({ planning, seen: one }) => [
      planning.target.slot,
      {
        state: stateOf(planning.binding, one.loaded?.row ?? null),
        present: presentOf(planning, one, () => rehearsal.trx),
      },
    ]),
  )
  const built = await decide(plan, seen, { attributes, id: looked[0]?.id ?? null })
  const all: [string, Rehearsed][] = []
  for (const one of looked) {
    const { slot, deletes } = one.planning.target
    const events = built?.[slot] ?? []
    // Of several aggregates one may stay as it is.
    const stays = built === null || (events.length === 0 && !deletes && plan.targets.length > 1)
    all.push([slot, stays ? untouched(one) : await become(one, events)])
  }
  return Object.fromEntries(all)
}

function untouched({ planning, seen, id }: Looked): Rehearsed {
  const { row = null, version = 0 } = seen.loaded ?? {}
  return { binding: planning.binding, id, version, after: row, events: [] }
}

async function become({ planning, seen }: Looked, built: readonly Built[]): Promise<Rehearsed> {
  const { id, after, events } = await plannedRows(planning, seen, built)
  if (events.length === 0) {
    throw wrongEvent(planning.target.named, 'gave no event, and there is no noop that says so')
  }
  return { binding: planning.binding, id, version: seen.loaded?.version ?? 0, after, events }
}

interface Looked {
  readonly planning: Planning
  readonly seen: Seen
  readonly id: string | null
}

async function look(target: Target, given: Slots<unknown>, rehearsal: Rehearsal): Promise<Looked> {
  const { named, slot } = target
  const stream = rehearsal.streams(target)
  const planning = { target, binding: stream.binding, texts: rehearsal.texts }
  const key = await keyTexts(rehearsal.texts, stream.binding, given, named)
  const id = givenId(stream.binding, key)
  const { now } = stream
  if (target.creates) {
    if (stream.given.length > 0) throw alreadyThere(target)
    return { planning, id, seen: { loaded: null, now, defaults: { ...stream.defaults, ...key } } }
  }
  const missing = stream.binding.model.key.filter((name) => !(name in key))
  if (id === null) {
    throw invalid(
      named,
      missing.map((name) => ({ message: 'the key is missing', path: [name] })),
    )
  }
  const { row, version } = await rehearsedRow(planning, { ...stream, id })
  if (row === null) throw gone(named, key)
  const seen = { loaded: { row, id, version, now }, now, defaults: {} }
  const expected = rehearsal.expectedVersions[slot]
  if (expected !== undefined) refuseOtherVersion(planning, seen, expected)
  return { planning, seen, id }
}

/** The same row under two names would be decided upon twice. */
function refuseSameRow(looked: readonly Looked[]): void {
  looked.forEach(({ planning, id }, index) => {
    const { name } = planning.binding.model
    const other = looked
      .slice(0, index)
      .find((one) => one.id === id && one.planning.binding.model.name === name)
    if (id === null || other === undefined) return
    throw invalid(planning.target.named, [
      { message: `is the same row as ${other.planning.target.slot}`, path: [planning.target.slot] },
    ])
  })
}

function kept(command: object) {
  const plan = planKept(command)
  if (plan !== undefined) return plan
  throw new UsageError('EW_TESTING_COMMAND', 'this is no command', {
    next: 'Give what defineCommand or defineJointCommand returned.',
  })
}

function alreadyThere({ named, slot }: Target): UsageError {
  return new UsageError(
    'EW_TESTING_GIVEN',
    `${named.where} creates its row (${slot}), and events are given that happened to it before`,
    { next: 'Give it none: PostgreSQL refuses a key that is there.' },
  )
}
