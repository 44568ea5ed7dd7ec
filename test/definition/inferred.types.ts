/** What a definition infers, and what the compiler refuses. Checked by `npm run typecheck`; never run. */
import {
  type AggregateRow,
  and,
  becameNotNull,
  becomes,
  changes,
  defineAggregate,
  defineTable,
  type EventData,
  type EventType,
  type Integer,
  is,
  lookup,
  type Numeric,
  not,
  occurredAt,
  type Predicate,
  type StandardSchemaV1,
  was,
} from '../../src/index.js'
import { type Subscription, type SubscriptionsRow, subscriptions } from '../support/subscription.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

declare const reason: StandardSchemaV1<string, 'price' | 'quality'>
const Created = { creates: true } as const

// ── inferred ─────────────────────────────────────────────────────────────────────────────────────────────────────
same<EventType<typeof Subscription>, 'Created' | 'Activated' | 'Deactivated'>()
same<AggregateRow<typeof Subscription>, SubscriptionsRow>()
same<(typeof Subscription)['name'], 'Subscription'>()
same<EventData<typeof Subscription, 'Activated'>, { readonly stripe_key: string | null }>()
same<
  EventData<typeof Subscription, 'Created'>,
  { readonly user_id: Integer; readonly reward_id: Integer; readonly payment_source_key: string | null }
>()

const Renamed = defineAggregate({
  name: 'Renamed',
  table: subscriptions,
  updatedAt: 'deactivated_at',
  directWrites: 'refuse',
  residue: { changed: 'Edited', deleted: 'Removed' },
  events: {
    Created,
    Changed: { data: { state: 'status', key: 'stripe_key' }, facts: { reason } },
    Activated: {
      schemaVersion: 2,
      set: { status: 'active', user_id: 7n, reward_id: '8', stripe_key: null, activated_at: occurredAt },
      when: and(not(was('status', 'active')), becomes('status', 'active'), becameNotNull('activated_at')),
    },
    Assigned: { set: { user_id: lookup(subscriptions, { status: 'active', stripe_key: null }) } },
  },
})
same<
  EventData<typeof Renamed, 'Changed'>,
  {
    readonly state: 'unpaid' | 'active' | 'inactive'
    readonly key: string | null
    readonly reason: 'price' | 'quality'
  }
>()

// A predicate built by a program is left to the check at run time.
declare const built: Predicate
defineAggregate({ name: 'S', table: subscriptions, events: { Created, A: { when: built } } })

// ── refused ──────────────────────────────────────────────────────────────────────────────────────────────────────
const table = subscriptions
// @ts-expect-error a misspelt column in data
defineAggregate({ name: 'S', table, events: { Created, A: { data: ['statuss'] } } })
// @ts-expect-error a misspelt column in a rename
defineAggregate({ name: 'S', table, events: { Created, A: { data: { state: 'statuss' } } } })
// @ts-expect-error a misspelt column in set
defineAggregate({ name: 'S', table, events: { Created, A: { set: { statuss: 'active' } } } })
// @ts-expect-error a misspelt column in when
defineAggregate({ name: 'S', table, events: { Created, A: { when: changes('statuss') } } })
// @ts-expect-error a misspelt column deep in when
defineAggregate({ name: 'S', table, events: { Created, A: { when: and(not(is('statuss', 'active'))) } } })
// @ts-expect-error a misspelt updatedAt
defineAggregate({ name: 'S', table, updatedAt: 'activatd_at', events: { Created } })
// @ts-expect-error a column both in data and in set
defineAggregate({ name: 'S', table, events: { Created, A: { data: ['status'], set: { status: 'active' } } } })
const twice = { data: { s: 'status' }, set: { status: 'active' } } as const
// @ts-expect-error a column both in data, renamed, and in set
defineAggregate({ name: 'S', table, events: { Created, A: twice } })
// @ts-expect-error a constant outside the enum
defineAggregate({ name: 'S', table, events: { Created, A: { set: { status: 'paused' } } } })
// @ts-expect-error a constant outside the enum, in when
defineAggregate({ name: 'S', table, events: { Created, A: { when: becomes('status', 'paused') } } })
// @ts-expect-error a constant of the wrong type
defineAggregate({ name: 'S', table, events: { Created, A: { set: { user_id: 'twelve' } } } })
// @ts-expect-error null in a column that is not null
defineAggregate({ name: 'S', table, events: { Created, A: { set: { user_id: null } } } })
// @ts-expect-error occurredAt on a text column
defineAggregate({ name: 'S', table, events: { Created, A: { set: { stripe_key: occurredAt } } } })
// @ts-expect-error a key column in set
defineAggregate({ name: 'S', table, events: { Created, A: { set: { id: 1 } } } })
// @ts-expect-error an event called as residue is
defineAggregate({ name: 'S', table, events: { Created, Changed: { data: ['user_id'] } } })
// @ts-expect-error an event called as residue was told to be
defineAggregate({ name: 'S', table, residue: { deleted: 'Gone' }, events: { Created, Gone: {} } })
// @ts-expect-error no creating event
defineAggregate({ name: 'S', table, events: { A: { data: ['user_id'] } } })
// @ts-expect-error a misspelt option
defineAggregate({ name: 'S', table, events: { Created, A: { creats: true, data: ['user_id'] } } })
// @ts-expect-error an attribute called as residue's member
defineAggregate({ name: 'S', table, events: { Created, A: { data: { $residue: 'user_id' } } } })
const clash = { data: ['user_id'], facts: { user_id: reason } } as const
// @ts-expect-error a fact called as an attribute
defineAggregate({ name: 'S', table, events: { Created, A: clash } })
// @ts-expect-error a misspelt column in a lookup
lookup(subscriptions, { statuss: 'active' })
// @ts-expect-error a constant outside the enum in a lookup
lookup(subscriptions, { status: 'paused' })

interface InvoicesRow {
  id: Integer
  net: Numeric
  gross: Numeric
  due: string
  dues: string
  sent: string
}
const invoices = defineTable<InvoicesRow>()({
  schema: 'public',
  name: 'invoices',
  key: ['id'],
  columns: {
    id: { type: 'integer', nullable: false },
    net: { type: 'numeric(10,2)', nullable: false },
    gross: { type: 'numeric(10,2)', nullable: false, generated: true },
    due: { type: 'date', nullable: false },
    dues: { type: 'timestamp with time zone[]', nullable: false },
    sent: { type: 'public.moment', base: 'timestamptz', nullable: false },
  },
})
defineAggregate({
  name: 'I',
  table: invoices,
  events: { Created, A: { set: { due: occurredAt, sent: occurredAt } } },
})
// @ts-expect-error an array of times holds no one time
defineAggregate({ name: 'I', table: invoices, events: { Created, A: { set: { dues: occurredAt } } } })
// @ts-expect-error a generated column in data
defineAggregate({ name: 'I', table: invoices, events: { Created, A: { data: ['gross'] } } })
// @ts-expect-error a generated column in set
defineAggregate({ name: 'I', table: invoices, events: { Created, A: { set: { gross: 1 } } } })
// @ts-expect-error a generated column in when
defineAggregate({ name: 'I', table: invoices, events: { Created, A: { when: changes('gross') } } })

defineTable<InvoicesRow>()({
  schema: 'public',
  name: 'invoices',
  // @ts-expect-error a key that is no column
  key: ['idd'],
  columns: invoices.columns as never,
})
