/** Attributes and facts by zod, valibot and arktype: all that Standard Schema lets them say. */
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineAggregate, defineCommand, defineJointCommand, type StandardSchemaV1 } from '../../src/index.js'
import { given } from '../../src/testing/index.js'
import { Subscription, subscriptions } from '../support/subscription.js'

/** What is sent, and what the command gets: an amount as a text becomes cents, a missing note a default. */
interface Sent {
  stripe_key: string
  cents: string
  note?: string | undefined
}
interface Got {
  stripe_key: string
  cents: number
  note: string
}
type Attributes = StandardSchemaV1<Sent, Got>

const SCHEMAS: readonly (readonly [validator: string, schema: Attributes])[] = [
  [
    'zod',
    z.object({
      stripe_key: z.string().trim().min(1),
      cents: z.string().regex(/^\d+$/).transform(Number),
      note: z.string().default('none'),
    }),
  ],
  [
    'valibot',
    v.object({
      stripe_key: v.pipe(v.string(), v.trim(), v.minLength(1)),
      cents: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)),
      note: v.optional(v.string(), 'none'),
    }),
  ],
  [
    'arktype',
    type({ stripe_key: 'string.trim |> string > 0', cents: 'string.integer.parse', note: "string = 'none'" }),
  ],
]

/** Asks something that takes its time: is the key taken? */
const ASKING: readonly (readonly [
  validator: string,
  schema: StandardSchemaV1<{ stripe_key: string }, { stripe_key: string }>,
])[] = [
  ['zod', z.object({ stripe_key: z.string().refine(async (key) => key !== 'taken', 'is taken') })],
  [
    'valibot',
    v.objectAsync({
      stripe_key: v.pipeAsync(
        v.string(),
        v.checkAsync(async (key) => key !== 'taken', 'is taken'),
      ),
    }),
  ],
]

const created = {
  type: 'Created',
  data: { user_id: 1, reward_id: 2, payment_source_key: null },
} as const

describe.each(SCHEMAS)('a command whose attributes are checked by %s', (_, attributes) => {
  const Activate = defineCommand({
    aggregate: Subscription,
    attributes,
    build: (_, { stripe_key, cents, note }) => ({
      type: 'Activated',
      data: { stripe_key: `${stripe_key} ${cents + 1} ${note}` },
    }),
  })

  it('gets what it has made of them', () =>
    given(Subscription, [created])
      .when(Activate, { id: 12, stripe_key: ' sub ', cents: '41' })
      .then([{ type: 'Activated', data: { stripe_key: 'sub 42 none' } }]))

  it('is told every issue, with its path, before it is called', async () => {
    expect(await Activate.valid({ id: 12, stripe_key: 'sub', cents: '1' })).toBe(true)
    const issues = await Activate.errors({ id: 12, stripe_key: '', cents: 'much' })
    expect(issues.map(({ path }) => path).toSorted()).toEqual([['cents'], ['stripe_key']])
    expect(issues.every(({ message }) => message.length > 5)).toBe(true)
    await given(Subscription, [created])
      .when(Activate, { id: 12, stripe_key: '', cents: 'much' })
      .thenThrows('EW_COMMAND_INVALID', '(and 1 more)')
  })

  it('is told of the key, which is none of its attributes', async () => {
    const broken = { id: 'twelve', stripe_key: 'sub', cents: '1' } as never
    await given(Subscription, [created]).when(Activate, broken).thenThrows('EW_COMMAND_INVALID', 'id')
    await given(Subscription, [created])
      .when(Activate, { stripe_key: 'sub', cents: '1' } as never)
      .thenThrows('EW_COMMAND_INVALID', 'the key is missing')
  })

  it('may be over several aggregates', () => {
    const Swap = defineJointCommand({
      aggregates: { from: Subscription, to: Subscription },
      attributes,
      build: (_, { stripe_key, cents }) => ({
        to: { type: 'Activated', data: { stripe_key: `${stripe_key} ${cents}` } },
      }),
    })
    return given({ from: [created], to: [created] })
      .when(Swap, { from: { id: 1 }, to: { id: 2 }, stripe_key: 'sub', cents: '7' })
      .then({ to: { type: 'Activated', data: { stripe_key: 'sub 7' } } })
  })
})

describe.each(ASKING)('what %s asks and waits for', (_, attributes) => {
  it('is waited for', async () => {
    const Activate = defineCommand({
      aggregate: Subscription,
      attributes,
      build: (_, data) => ({ type: 'Activated', data }),
    })
    const run = (stripe_key: string) => given(Subscription, [created]).when(Activate, { id: 12, stripe_key })
    await run('sub').then({ type: 'Activated', data: { stripe_key: 'sub' } })
    await run('taken').thenThrows('EW_COMMAND_INVALID', 'is taken')
    expect(await Activate.errors({ id: 12, stripe_key: 'taken' })).toEqual([
      { message: 'is taken', path: ['stripe_key'] },
    ])
  })
})

describe.each([
  ['zod', z.object({ reason: z.enum(['late', 'lost']), at: z.object({ door: z.number() }) })],
  ['valibot', v.object({ reason: v.picklist(['late', 'lost']), at: v.object({ door: v.number() }) })],
  ['arktype', type({ reason: "'late' | 'lost'", at: { door: 'number' } })],
] as const)('a fact whose form %s tells', (_, schema) => {
  const Cancelled = defineAggregate({
    name: 'Subscription',
    table: subscriptions,
    events: {
      Created: { creates: true, data: ['user_id', 'reward_id', 'payment_source_key'] },
      Cancelled: { facts: { why: schema }, set: { status: 'inactive' } },
    },
  })
  const cancelFor = (reason: 'late' | 'lost') =>
    defineCommand({
      aggregate: Cancelled,
      build: () => ({ type: 'Cancelled', facts: { why: { reason, at: { door: 3 } } } }),
    })

  it('is kept as it is', () =>
    given(Cancelled, [created])
      .when(cancelFor('late'), { id: 12 })
      .then({ type: 'Cancelled', facts: { why: { reason: 'late', at: { door: 3 } } } }))

  it('is refused in another one, with its path', async () => {
    const run = given(Cancelled, [created]).when(cancelFor('bored' as never), { id: 12 })
    await run.thenThrows('EW_COMMAND_INVALID', 'why')
    const error: unknown = await run.outcome().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ details: { issues: [{ path: ['why', 'reason'] }] } })
  })
})
