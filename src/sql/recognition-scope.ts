import type { BoundColumn, BoundEvent, BoundModel } from '../definition/index.js'
import { isRecognisable } from '../recognise/index.js'
import type { Sides } from './compile-condition.js'

/**
 * The names under which the compiled recognition sees one write.
 *
 * A source gives one row a write, with these columns: `a<attnum>` and `b<attnum>` are the columns of the row after and
 * before; `u` is the time of what no column dates; `c` the number of the creating event chosen; `r<n>` whether event n
 * is recognised; `t<n>` its time; `i<n>` whether that time is inferred; `x` whether anything is left for `Changed`.
 * Names are ours, so a table's own can't clash with them.
 */
export interface Scope {
  readonly model: BoundModel
  /** A write of a new row: there is nothing before. */
  readonly creation: boolean
  readonly sides: Sides
  readonly columnNamed: (name: string) => BoundColumn
  /** Events that can follow a creation or come by an update, with their numbers. */
  readonly later: readonly Numbered[]
  /** Creating events, in order of declaration; none on an update. */
  readonly creating: readonly Numbered[]
  /** `alias.<name>` */
  readonly ref: (name: string) => string
}

export interface Numbered {
  readonly n: number
  readonly event: BoundEvent
}

/** A scope over a source that goes by `alias`. */
export function scopeOf(model: BoundModel, creation: boolean, alias: string): Scope {
  const numbered = model.events.map((event, n) => ({ n, event })).filter(({ event }) => isRecognisable(event))
  const columns = new Map(model.columns.map((column) => [column.name, column]))
  return {
    model,
    creation,
    sides: {
      after: ({ attnum }) => `${alias}.a${attnum}`,
      before: creation ? null : ({ attnum }) => `${alias}.b${attnum}`,
    },
    columnNamed: (name) => {
      const column = columns.get(name)
      if (column === undefined) throw new RangeError(`${model.name} was bound without column ${name}`)
      return column
    },
    later: numbered.filter(({ event }) => event.effect === 'changes'),
    creating: creation ? numbered.filter(({ event }) => event.effect === 'creates') : [],
    ref: (name) => `${alias}.${name}`,
  }
}

/** SQL of whether event n is recognised. */
export const recognised = (scope: Scope, { n }: Numbered): string => scope.ref(`r${n}`)

/** SQL of the time of event n. */
export const timeOf = (scope: Scope, { n, event }: Numbered): string =>
  scope.ref(event.bound.length === 0 ? 'u' : `t${n}`)
