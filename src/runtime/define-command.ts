import type { Knex } from 'knex'
import type { AnyAggregate } from '../definition/index.js'
import type { AnyCommand } from './any-command.js'
import { callCommand } from './call-command.js'
import { commandIssues, type Issue } from './command-issues.js'
import { keepPlan, ONLY, planOf } from './command-plan.js'
import type {
  AnySchema,
  AppendedEvent,
  AttributesOf,
  BuiltEvent,
  CallInput,
  CallOptions,
  ChangingType,
  CreatingType,
  Objection,
  Outcome,
  Present,
  State,
} from './command-types.js'

/** The events that a command may build. */
type Buildable<A, Creates> = Creates extends true ? CreatingType<A> | ChangingType<A> : ChangingType<A>
type StateFor<A extends AnyAggregate, Creates> = Creates extends true ? null : State<A>

/** What `defineCommand` takes. */
export interface CommandInput<
  A extends AnyAggregate,
  Schema extends AnySchema,
  Creates extends boolean,
  Several extends boolean,
  Type extends string,
> {
  /** Stands in the metadata of its events: `Activate`. */
  readonly name?: string
  readonly aggregate: A
  /** What it takes beside the key: a schema of any validator that speaks Standard Schema. @default nothing */
  readonly attributes?: Schema
  /** It makes a new row; the first event is one that creates. @default false */
  readonly creates?: Creates
  /** It removes the row, after the events that it builds, if any. The row is locked against all others from the start. @default false */
  readonly deletes?: boolean
  /** `build` gives a list of events, and `call` too. @default false */
  readonly several?: Several
  /** Says what in the present state is against it; nothing where all is well. */
  readonly validate?: (
    state: StateFor<A, Creates>,
    attributes: AttributesOf<Schema>,
    present: Present<A>,
  ) => Objection | Promise<Objection>
  /** True where there is nothing to do: `call` gives null. */
  readonly noop?: (
    state: StateFor<A, Creates>,
    attributes: AttributesOf<Schema>,
    present: Present<A>,
  ) => boolean | Promise<boolean>
  /** The event, or events, that it means. Pure where it can be: it runs under the row's lock. */
  readonly build: (
    state: StateFor<A, Creates>,
    attributes: AttributesOf<Schema>,
    present: Present<A>,
  ) => Outcome<BuiltEvent<A, Type>, Several> | Promise<Outcome<BuiltEvent<A, Type>, Several>>
}

/** A command, ready to be called. */
export interface Command<
  A extends AnyAggregate,
  Schema extends AnySchema,
  Creates extends boolean,
  Several extends boolean,
  Type extends string,
> {
  readonly name: string | null
  readonly aggregate: A
  /**
   * Carries it out in one transaction: its own where it is given a knex, the given one otherwise. Locks the row until
   * that ends (FOR NO KEY UPDATE; FOR UPDATE where it deletes) and the table in ROW EXCLUSIVE mode, as any write does.
   *
   * @returns the event that was appended (all, where the command has several), or null where there was nothing to do.
   * @throws UsageError EW_COMMAND_INVALID for the attributes, GateError EW_COMMAND_REFUSED for the state,
   * EW_COMMAND_GONE where there is no such row, EW_NOT_CAPTURED, EW_DEFINITION_UNREGISTERED; ConflictError EW_CONFLICT
   * where another version was expected; UsageError EW_COMMAND_KEY; DatabaseError EW_ANNOUNCEMENT. Errors of the database come as its driver throws them, with their SQLSTATE in `code`.
   */
  call(
    knex: Knex | Knex.Transaction,
    input: CallInput<A, Schema, Creates>,
    options?: CallOptions,
  ): Promise<Outcome<AppendedEvent<A, Type>, Several> | null>
  /**
   * What is wrong with the attributes; with a knex, also what the present state has against it. Writes nothing. With a
   * knex it takes the locks that `call` takes, for as long as it looks.
   */
  errors(input: CallInput<A, Schema, Creates>, knex?: Knex | Knex.Transaction): Promise<readonly Issue[]>
  /** Whether `errors` has none. */
  valid(input: CallInput<A, Schema, Creates>, knex?: Knex | Knex.Transaction): Promise<boolean>
}

/**
 * Defines a command: what may be asked of an aggregate, when it may be done, and which events it means. All types are
 * inferred from the definition of the aggregate.
 *
 * @example
 * export const Activate = defineCommand({
 *   name: 'Activate',
 *   aggregate: Subscription,
 *   attributes: z.object({ stripe_key: z.string().min(1) }),
 *   noop: (subscription) => subscription.status === 'active',
 *   build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
 * })
 * const event = await Activate.call(knex, { id: 12, stripe_key: 'sub_66123' })
 */
export function defineCommand<
  const A extends AnyAggregate,
  Schema extends AnySchema = undefined,
  const Creates extends boolean = false,
  const Several extends boolean = false,
  const Type extends Buildable<A, Creates> = Buildable<A, Creates>,
>(input: CommandInput<A, Schema, Creates, Several, Type>): Command<A, Schema, Creates, Several, Type> {
  const { name = null, aggregate } = input
  // What the types promise is checked at run time as well: what follows takes plain data.
  const plain = input as unknown as AnyCommand
  const plan = planOf(plain)
  const errors = (given: unknown, knex?: Knex) => commandIssues(plan, given, knex)
  const command = Object.freeze({
    name,
    aggregate,
    errors,
    valid: async (given: unknown, knex?: Knex) => (await errors(given, knex)).length === 0,
    call: async (knex: Knex, given: unknown, { expectedVersion, ...options }: CallOptions = {}) => {
      const run = { ...options, expectedVersions: { [ONLY]: expectedVersion } }
      const appended = await callCommand(plan, { knex, input: given, options: run })
      if (appended === null) return null
      const events = appended[ONLY] ?? []
      return (plain.several === true ? events : (events[0] ?? null)) as never
    },
  })
  keepPlan(command, plan)
  return command
}
