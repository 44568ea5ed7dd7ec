import type { EventInput } from './aggregate-types.js'
import type { Lookup } from './lookup.js'
import type { OccurredAt } from './occurred-at.js'
import type { AnyTable, TableColumn, TableRow } from './table-types.js'

/**
 * The bound of `events`: what an editor offers while they are written. It names the table's columns and values but
 * refuses none, so that the one who refuses is `CheckEvents`, which says why.
 */
export type HintedEvents<T extends AnyTable> = Readonly<Record<string, HintedEvent<T>>>

interface HintedEvent<T extends AnyTable> extends Omit<EventInput, 'data' | 'set'> {
  /** The columns that it carries: `['stripe_key']`, or `{ stripeKey: 'stripe_key' }` under other names. */
  readonly data?: readonly Named<T>[] | Readonly<Record<string, Named<T>>>
  /** The columns that it sets without carrying them. */
  readonly set?: {
    readonly [C in Exclude<TableColumn<T>, MemberOfAll>]?: TableRow<T>[C] | Assigned
  } & Readonly<Record<string, Assigned>>
}

type Named<T extends AnyTable> = TableColumn<T> | AnyText

type Assigned = AnyText | number | bigint | boolean | null | OccurredAt | Lookup

/** All strings, in a form that does not swallow the literals beside it. */
type AnyText = string & Record<never, never>

/** Each object has a member `constructor`, so that `{}` would be measured by a column of that name. */
type MemberOfAll = keyof typeof Object.prototype
