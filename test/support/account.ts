/** Accounts whose balance is changed by events that say by how much: what `data` and `set` can't. */
import { becomes, defineAggregate, defineTable, occurredAt } from '../../src/definition/index.js'
import type { Integer, Numeric, StandardSchemaV1 } from '../../src/index.js'

export interface AccountsRow {
  id: Integer
  owner: string
  balance: Numeric
  open: boolean
  updated_by: string | null
  opened_at: string
}

export const accounts = defineTable<AccountsRow>()({
  schema: 'public',
  name: 'accounts',
  key: ['id'],
  columns: {
    id: { type: 'bigint', nullable: false },
    owner: { type: 'text', nullable: false },
    balance: { type: 'numeric(12,2)', nullable: false },
    open: { type: 'boolean', nullable: false },
    updated_by: { type: 'text', nullable: true },
    opened_at: { type: 'timestamp with time zone', nullable: false },
  },
})

export const createAccounts = `
  create table public.accounts (
    id         bigint primary key,
    owner      text not null,
    balance    numeric(12,2) not null,
    open       boolean not null,
    updated_by text,
    opened_at  timestamptz not null
  )`

/** A fact that is a text. */
export const text: StandardSchemaV1<string, string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'is no text' }] }),
  },
}

/** Cents, so that no digit is lost. */
export const cents = (amount: string): bigint => BigInt(amount.replace('.', ''))
export const money = (amount: bigint): string => `${amount / 100n}.${String(amount % 100n).padStart(2, '0')}`

export const Account = defineAggregate({
  name: 'Account',
  table: accounts,
  base: { data: ['updated_by'] },
  events: {
    Opened: { creates: true, data: ['owner'], set: { open: true, opened_at: occurredAt, balance: 0 } },
    Credited: { facts: { amount: text } },
    Closed: { set: { open: false }, when: becomes('open', false) },
  },
  apply: {
    Credited: (state, event) => ({ balance: money(cents(state.balance) + cents(event.data.amount)) }),
  },
})
