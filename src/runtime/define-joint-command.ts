import type { Knex } from 'knex'
import type { AnyAggregate, StandardSchemaV1 } from '../definition/index.js'
import type { AnyJointCommand } from './any-command.js'
import { callCommand } from './call-command.js'
import { commandIssues, type Issue } from './command-issues.js'
import { jointPlanOf, keepPlan } from './command-plan.js'
import type {
  AnySchema,
  AppendedEvent,
  AttributesOf,
  BuiltEvent,
  CallOptions,
  ChangingType,
  EventNames,
  Flat,
  InputOf,
  KeyInput,
  Objection,
  Present,
  State,
} from './command-types.js'

type Aggregates = Readonly<Record<string, AnyAggregate>>

type States<As extends Aggregates, Creates> = {
  readonly [S in keyof As]: S extends Creates ? null : State<As[S]>
}
type Presents<As extends Aggregates> = { readonly [S in keyof As]: Present<As[S]> }
type TypeOf<A extends AnyAggregate, Created> = Created extends true ? EventNames<A> : ChangingType<A>

/** What `build` gives: for each aggregate one event, several, or none. */
type Builds<As extends Aggregates, Creates> = {
  readonly [S in keyof As]?:
    | BuiltEvent<As[S], TypeOf<As[S], S extends Creates ? true : false>>
    | readonly BuiltEvent<As[S], TypeOf<As[S], S extends Creates ? true : false>>[]
    | null
}

/** What `defineJointCommand` takes. */
export interface JointCommandInput<
  As extends Aggregates,
  Schema extends AnySchema,
  Creates extends keyof As & string,
> {
  /** Stands in the metadata of its events: `Transfer`. */
  readonly name?: string
  /** The aggregates, under the names that the command gives them: `{ from: Account, to: Account }`. */
  readonly aggregates: As
  /** Those of them that it makes new. @default none */
  readonly creates?: readonly Creates[]
  /** What it takes beside the keys: a schema of any validator that speaks Standard Schema. @default nothing */
  readonly attributes?: Schema
  /** Says what in the present states is against it; nothing where all is well. */
  readonly validate?: (
    states: States<As, Creates>,
    attributes: AttributesOf<Schema>,
    presents: Presents<As>,
  ) => Objection | Promise<Objection>
  /** True where there is nothing to do: `call` gives null. */
  readonly noop?: (
    states: States<As, Creates>,
    attributes: AttributesOf<Schema>,
    presents: Presents<As>,
  ) => boolean | Promise<boolean>
  /** The events that it means. Pure where it can be: it runs under the locks of all rows. */
  readonly build: (
    states: States<As, Creates>,
    attributes: AttributesOf<Schema>,
    presents: Presents<As>,
  ) => Builds<As, Creates> | Promise<Builds<As, Creates>>
}

/** What `call` takes: each key under its aggregate's name, beside the attributes. */
export type JointCallInput<As extends Aggregates, Schema extends AnySchema, Creates> = Flat<
  { readonly [S in Exclude<keyof As, Creates>]: KeyInput<As[S]> } & {
    readonly [S in keyof As as S extends Creates ? S : never]?: Partial<KeyInput<As[S]>>
  } & (Schema extends StandardSchemaV1 ? InputOf<Schema> : unknown)
>

export interface JointCallOptions<As extends Aggregates> extends Omit<CallOptions, 'expectedVersion'> {
  /** The versions at which the caller saw the streams. @default whatever they are */
  readonly expectedVersions?: { readonly [S in keyof As]?: number }
}

/** A command over several aggregates, ready to be called. */
export interface JointCommand<
  As extends Aggregates,
  Schema extends AnySchema,
  Creates extends keyof As & string,
> {
  readonly name: string | null
  readonly aggregates: As
  /**
   * Carries it out in one transaction, as a command over one aggregate: all rows are locked, in the order of type and
   * key, before it decides.
   *
   * @returns the events of each aggregate that has some, or null where there was nothing to do.
   * @throws as `Command.call`
   */
  call(
    knex: Knex | Knex.Transaction,
    input: JointCallInput<As, Schema, Creates>,
    options?: JointCallOptions<As>,
  ): Promise<{ readonly [S in keyof As]?: readonly AppendedEvent<As[S], EventNames<As[S]>>[] } | null>
  /** As `Command.errors`. */
  errors(
    input: JointCallInput<As, Schema, Creates>,
    knex?: Knex | Knex.Transaction,
  ): Promise<readonly Issue[]>
}

/**
 * Defines a command over several aggregates, all or nothing.
 *
 * @example
 * export const Transfer = defineJointCommand({
 *   name: 'Transfer',
 *   aggregates: { from: Account, to: Account },
 *   attributes: z.object({ cents: z.bigint() }),
 *   validate: ({ from }, { cents }) => BigInt(from.cents) < cents && 'there is not enough',
 *   build: ({ from, to }, { cents }) => ({
 *     from: { type: 'Withdrawn', data: { cents: BigInt(from.cents) - cents } },
 *     to: { type: 'Deposited', data: { cents: BigInt(to.cents) + cents } },
 *   }),
 * })
 * await Transfer.call(knex, { from: { id: 1 }, to: { id: 2 }, cents: 500n })
 */
export function defineJointCommand<
  const As extends Aggregates,
  Schema extends AnySchema = undefined,
  const Creates extends keyof As & string = never,
>(input: JointCommandInput<As, Schema, Creates>): JointCommand<As, Schema, Creates> {
  const { name = null, aggregates } = input
  // What the types promise is checked at run time as well: what follows takes plain data.
  const plan = jointPlanOf(input as unknown as AnyJointCommand)
  const command = Object.freeze({
    name,
    aggregates,
    errors: (given: unknown, knex?: Knex) => commandIssues(plan, given, knex),
    call: async (
      knex: Knex,
      given: unknown,
      { expectedVersions = {}, ...options }: JointCallOptions<As> = {},
    ) => {
      const versions = expectedVersions as Readonly<Record<string, number | undefined>>
      const run = { ...options, expectedVersions: versions }
      return (await callCommand(plan, { knex, input: given, options: run })) as never
    },
  })
  keepPlan(command, plan)
  return command
}
