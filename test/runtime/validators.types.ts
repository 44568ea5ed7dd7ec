/** What a command infers from the schema of each validator: what it's sent, and what it gets. Never run. */
import { type } from 'arktype'
import type { Knex } from 'knex'
import * as v from 'valibot'
import { z } from 'zod'
import { defineCommand } from '../../src/index.js'
import { Subscription } from '../support/subscription.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

declare const knex: Knex

const ByZod = defineCommand({
  aggregate: Subscription,
  attributes: z.object({ cents: z.string().transform(Number), note: z.string().default('') }),
  build: (_, { cents, note }) => {
    same<typeof cents, number>()
    same<typeof note, string>()
    return { type: 'Activated', data: { stripe_key: note } }
  },
})
ByZod.call(knex, { id: 12, cents: '1' })
// @ts-expect-error: what it gets is not what it is sent
ByZod.call(knex, { id: 12, cents: 1 })
// @ts-expect-error: an attribute is missing
ByZod.call(knex, { id: 12, note: 'a' })

const ByValibot = defineCommand({
  aggregate: Subscription,
  attributes: v.object({ cents: v.pipe(v.string(), v.transform(Number)), note: v.optional(v.string(), '') }),
  build: (_, { cents, note }) => {
    same<typeof cents, number>()
    same<typeof note, string>()
    return { type: 'Activated', data: { stripe_key: note } }
  },
})
ByValibot.call(knex, { id: 12, cents: '1' })
// @ts-expect-error: what it gets is not what it is sent
ByValibot.call(knex, { id: 12, cents: 1 })
// @ts-expect-error: an attribute is missing
ByValibot.call(knex, { id: 12, note: 'a' })

const ByArktype = defineCommand({
  aggregate: Subscription,
  attributes: type({ cents: 'string.integer.parse', note: "string = ''" }),
  build: (_, { cents, note }) => {
    same<typeof cents, number>()
    same<typeof note, string>()
    return { type: 'Activated', data: { stripe_key: note } }
  },
})
ByArktype.call(knex, { id: 12, cents: '1' })
// @ts-expect-error: what it gets is not what it is sent
ByArktype.call(knex, { id: 12, cents: 1 })
// @ts-expect-error: an attribute is missing
ByArktype.call(knex, { id: 12, note: 'a' })

defineCommand({
  aggregate: Subscription,
  // @ts-expect-error: no schema
  attributes: { cents: 'number' },
  build: () => ({ type: 'Deactivated' }),
})
