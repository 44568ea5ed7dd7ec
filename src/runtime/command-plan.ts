import type { AggregateDefinition, StandardIssue, StandardSchemaV1 } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { AnyCommand, AnyJointCommand, ShownRow } from './any-command.js'
import { invalid, type Named, wrongEvent } from './command-errors.js'
import { splitInput } from './command-input.js'
import type { Objection, Present } from './command-types.js'
import type { Built } from './planned-event.js'

/** One aggregate that a command is about, under a name within the command. */
export interface Target {
  readonly slot: string
  readonly aggregate: AggregateDefinition
  readonly creates: boolean
  readonly deletes: boolean
  /** As messages name it. */
  readonly named: Named
}

/** What is seen of a target while the command decides. */
export interface SeenTarget {
  readonly state: ShownRow | null
  readonly present: Present
}

export type Slots<T> = Readonly<Record<string, T>>

/** A command over one aggregate or several, as it is carried out. */
export interface CommandPlan {
  readonly name: string | null
  /** As messages name it as a whole. */
  readonly named: Named
  readonly targets: readonly Target[]
  readonly attributes: StandardSchemaV1 | undefined
  /** The keys, by slot, and all else, which is the schema's matter. */
  readonly split: (input: unknown) => { readonly keys: Slots<Slots<unknown>>; readonly rest: object }
  readonly validate: (seen: Slots<SeenTarget>, attributes: unknown) => Promise<Objection>
  readonly noop: (seen: Slots<SeenTarget>, attributes: unknown) => Promise<boolean>
  readonly build: (seen: Slots<SeenTarget>, attributes: unknown) => Promise<Slots<readonly Built[]>>
}

const plans = new WeakMap<object, CommandPlan>()

/** Notes how a command is carried out, for whoever does so without a database. */
export function keepPlan(command: object, plan: CommandPlan): void {
  plans.set(command, plan)
}

/** Undefined for what neither `defineCommand` nor `defineJointCommand` made. */
export function planKept(command: object): CommandPlan | undefined {
  return plans.get(command)
}

/** The slot of a command that is about one aggregate. */
export const ONLY = 'it'

export function planOf(command: AnyCommand): CommandPlan {
  const { aggregate, creates = false, deletes = false, validate, noop, build, attributes } = command
  const of = (seen: Slots<SeenTarget>) => seen[ONLY] as SeenTarget
  const where = command.name === undefined ? aggregate.name : `${aggregate.name}.${command.name}`
  const named = { where, table: aggregate.table }
  return {
    name: command.name ?? null,
    named,
    targets: [{ slot: ONLY, aggregate, creates, deletes, named }],
    attributes,
    split: (input) => {
      const { key, rest } = splitInput(aggregate, input, named)
      return { keys: { [ONLY]: key }, rest }
    },
    validate: async (seen, given) => validate?.(of(seen).state, given, of(seen).present),
    noop: async (seen, given) => (await noop?.(of(seen).state, given, of(seen).present)) === true,
    build: async (seen, given) => ({
      [ONLY]: [await build(of(seen).state, given, of(seen).present)].flat() as readonly Built[],
    }),
  }
}

export function jointPlanOf(command: AnyJointCommand): CommandPlan {
  const { aggregates, creates = [], attributes, validate, noop, build } = command
  const where = command.name ?? Object.keys(aggregates).join(' and ')
  const targets = Object.entries(aggregates).map(([slot, aggregate]) => ({
    slot,
    aggregate,
    creates: creates.includes(slot),
    deletes: false,
    named: { where: `${where} (${slot})`, table: aggregate.table },
  }))
  const [first] = targets
  if (first === undefined) throw noAggregate(where)
  const named = { where, table: first.aggregate.table }
  const views = (seen: Slots<SeenTarget>) =>
    [mapSlots(seen, ({ state }) => state), mapSlots(seen, ({ present }) => present)] as const
  return {
    name: command.name ?? null,
    named,
    targets,
    attributes,
    split: (input) => splitJointly(targets, input, named),
    validate: async (seen, given) => {
      const [states, presents] = views(seen)
      return validate?.(states, given, presents)
    },
    noop: async (seen, given) => {
      const [states, presents] = views(seen)
      return (await noop?.(states, given, presents)) === true
    },
    build: async (seen, given) => {
      const [states, presents] = views(seen)
      const built = await build(states, given, presents)
      const unknown = Object.keys(built).find((slot) => !(slot in seen))
      if (unknown !== undefined)
        throw wrongEvent(named, `gave events of ${unknown}, which is none of its aggregates`)
      return mapSlots(seen, (_, slot) => [built[slot] ?? []].flat() as readonly Built[])
    },
  }
}

export function mapSlots<T, R>(slots: Slots<T>, of: (value: T, slot: string) => R): Slots<R> {
  return Object.fromEntries(Object.entries(slots).map(([slot, value]) => [slot, of(value, slot)]))
}

function noAggregate(where: string): UsageError {
  return new UsageError('EW_COMMAND_EVENT', `${where}: a command needs an aggregate`, {
    next: 'Name at least one in `aggregates`.',
  })
}

/** Each aggregate's key stands under the name that the command gives it: `{ from: { id: 1 }, to: { id: 2 } }`. */
function splitJointly(targets: readonly Target[], input: unknown, named: Named) {
  if (typeof input !== 'object' || input === null) {
    throw invalid(named, [{ message: 'a command takes one object: its keys and its attributes' }])
  }
  const given = new Map(Object.entries(input))
  const issues: StandardIssue[] = []
  const keys = targets.map(({ slot, aggregate, creates }) => {
    const key: unknown = given.get(slot)
    given.delete(slot)
    if (key === undefined && creates) return [slot, {}] as const
    if (typeof key !== 'object' || key === null) {
      const columns = aggregate.table.key.join(', ')
      issues.push({ message: `give the key of ${aggregate.name} as an object: ${columns}`, path: [slot] })
      return [slot, {}] as const
    }
    const stranger = Object.keys(key).find((name) => !aggregate.table.key.includes(name))
    if (stranger !== undefined) issues.push({ message: 'is no column of the key', path: [slot, stranger] })
    return [slot, Object.fromEntries(Object.entries(key).filter(([, value]) => value != null))] as const
  })
  if (issues.length > 0) throw invalid(named, issues)
  return { keys: Object.fromEntries(keys), rest: Object.fromEntries(given) }
}
