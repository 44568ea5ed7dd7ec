// Written by `eventward generate` from the database's catalog. Don't edit: run it again when the schema has changed.
import { defineTable, type Integer, type Numeric } from '../../src/index.js'

export interface RewardsRow {
  id: Integer
  title: string
  price: Numeric
  places: Integer
  created_at: string
}

export interface SubscriptionsRow {
  id: Integer
  user_id: Integer
  reward_id: Integer
  status: 'unpaid' | 'active' | 'inactive'
  stripe_key: string | null
  created_at: string
  activated_at: string | null
  deactivated_at: string | null
}

export const tables = {
  rewards: defineTable<RewardsRow>()({
    schema: 'public',
    name: 'rewards',
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false, hasDefault: true },
      title: { type: 'text', nullable: false },
      price: { type: 'numeric(10,2)', nullable: false },
      places: { type: 'integer', nullable: false },
      created_at: { type: 'timestamp with time zone', nullable: false, hasDefault: true },
    },
  }),
  subscriptions: defineTable<SubscriptionsRow>()({
    schema: 'public',
    name: 'subscriptions',
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false, hasDefault: true },
      user_id: { type: 'bigint', nullable: false },
      reward_id: { type: 'bigint', nullable: false },
      status: {
        type: 'public.subscription_status',
        nullable: false,
        hasDefault: true,
        values: ['unpaid', 'active', 'inactive'],
      },
      stripe_key: { type: 'text', nullable: true },
      created_at: { type: 'timestamp with time zone', nullable: false, hasDefault: true },
      activated_at: { type: 'timestamp with time zone', nullable: true },
      deactivated_at: { type: 'timestamp with time zone', nullable: true },
    },
  }),
}
