// Written by `eventward generate` from the database's catalog. Don't edit: run it again when the schema has changed.
import { defineTable, type Integer } from '../../src/index.js'

export interface MailsRow {
  id: Integer
  template: string
  subscription_id: Integer
  key: string
  queued_at: string
}

export interface SubscriptionsRow {
  id: Integer
  user_id: Integer
  reward_id: Integer
  payment_source_key: Integer | null
  status: 'unpaid' | 'active' | 'inactive'
  stripe_key: string | null
  created_at: string
  activated_at: string | null
  deactivated_at: string | null
}

export interface UsersRow {
  id: Integer
  updated_at: string
}

export const tables = {
  mails: defineTable<MailsRow>()({
    schema: 'public',
    name: 'mails',
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false, hasDefault: true },
      template: { type: 'text', nullable: false },
      subscription_id: { type: 'bigint', nullable: false },
      key: { type: 'text', nullable: false },
      queued_at: { type: 'timestamp with time zone', nullable: false, hasDefault: true },
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
      payment_source_key: { type: 'bigint', nullable: true },
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
  users: defineTable<UsersRow>()({
    schema: 'public',
    name: 'users',
    key: ['id'],
    columns: {
      id: { type: 'bigint', nullable: false },
      updated_at: { type: 'timestamp with time zone', nullable: false },
    },
  }),
}
