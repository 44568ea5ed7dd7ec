/** What `base`, `apply` and upcasts infer, and what the compiler refuses. Checked by `npm run typecheck`; never run. */
import { defineAggregate, type EventData, occurredAt } from '../../src/index.js'
import { type Account, accounts, text } from '../support/account.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Same<A, B> extends true ? [] : ['these types differ']): void {}

const Opened = { creates: true, data: ['owner'], set: { opened_at: occurredAt } } as const

// ── inferred ─────────────────────────────────────────────────────────────────────────────────────────────────────
same<EventData<typeof Account, 'Opened'>, { readonly owner: string; readonly updated_by: string | null }>()
same<EventData<typeof Account, 'Credited'>, { readonly updated_by: string | null; readonly amount: string }>()

export const fits = defineAggregate({
  name: 'Account',
  table: accounts,
  base: { data: { by: 'updated_by' }, facts: { why: text } },
  events: {
    Opened: {
      ...Opened,
      schemaVersion: 3,
      upcast: {
        1: { rename: { holder: 'name' }, drop: ['legacy'] },
        2: [{ rename: { name: 'owner' } }, { drop: ['more'] }],
      },
    },
    Credited: { facts: { amount: text } },
    Named: { data: { name: 'owner' }, from: ['Renamed'] },
  },
  apply: {
    Credited: (state, event) => {
      same<typeof state.balance, `${number}` | 'NaN' | 'Infinity' | '-Infinity'>()
      same<typeof state.open, boolean>()
      same<typeof event.data.amount, string>()
      same<typeof event.data.by, string | null>()
      same<typeof event.data.why, string>()
      // @ts-expect-error: no attribute of it
      event.data.amonut
      // @ts-expect-error: no column
      state.balanec
      return { balance: event.data.amount as `${number}`, open: !state.open }
    },
    Named: { version: '1', fold: (state, event) => ({ ...state, owner: event.data.name }) },
  },
  upcasters: {
    'Started@1': { to: 'Opened', version: 2, drop: ['x'] },
    'Both@1': [{ to: 'Opened' }, { to: 'Credited', add: { amount: '0' } }],
    'Named@0': { to: 'Named', version: 1, compute: (data) => ({ name: data['n'] }) },
    'Odd@2': (event) => ({ type: 'Named', data: { name: event.data['n'] } }),
  },
})

// ── refused ──────────────────────────────────────────────────────────────────────────────────────────────────────
defineAggregate({
  name: 'Account',
  table: accounts,
  // @ts-expect-error: no column 'updatedby'
  base: { data: ['updatedby'] },
  events: { Opened },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  // @ts-expect-error: no column 'opne'
  base: { set: { opne: true } },
  events: { Opened },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: { Opened, Credited: { facts: { amount: text } } },
  apply: {
    // @ts-expect-error: no column 'balanec'
    Credited: (state) => ({ balanec: state.balance }),
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: { Opened, Credited: { facts: { amount: text } } },
  apply: {
    // @ts-expect-error: `open` is true or false
    Credited: () => ({ open: 'yes' }),
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: { Opened },
  apply: {
    // @ts-expect-error: there is no event Credietd
    Credietd: () => ({ open: true }),
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    Opened,
    // @ts-expect-error: 'ownr' is no attribute of it
    Named: { schemaVersion: 2, data: ['owner'], upcast: { 1: { rename: { name: 'ownr' } } } },
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: {
    Opened,
    // @ts-expect-error: 'ownr' is no attribute of it
    Named: { schemaVersion: 2, data: ['owner'], upcast: { 1: { add: { ownr: 'nobody' } } } },
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: { Opened },
  upcasters: {
    // @ts-expect-error: there is no event Opend
    'Started@1': { to: 'Opend' },
  },
})

defineAggregate({
  name: 'Account',
  table: accounts,
  events: { Opened },
  // @ts-expect-error: a key is Type@version
  upcasters: { Started: { to: 'Opened' } },
})
