/** The same table under the code of two releases: an event's attribute renamed, a fact added, an event that is new. */
import { defineAggregate, occurredAt } from '../../src/definition/index.js'
import { accounts, text } from './account.js'

const shared = {
  Opened: { creates: true, data: ['owner'], set: { open: true, opened_at: occurredAt, balance: 0 } },
  Closed: { set: { open: false } },
} as const

export const OldAccount = defineAggregate({
  name: 'Account',
  table: accounts,
  events: { ...shared, BalanceSet: { data: { amount: 'balance' } } },
})

export const NewAccount = defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    ...shared,
    BalanceSet: {
      schemaVersion: 2,
      data: { sum: 'balance' },
      facts: { why: text },
      upcast: { 1: { rename: { amount: 'sum' }, add: { why: 'unknown' } } },
    },
    Audited: { data: ['updated_by'] },
  },
})
