import type { Constant, Predicate } from './model.js'

/** Carries what a predicate asks about, for the compiler alone: no value has it. */
declare const asks: unique symbol

/**
 * A predicate that remembers, for the compiler, which columns and values it asks about: `[column, value]` or
 * `[column]`. They are checked against the table where it stands in a `when`.
 */
export type When<Asks extends Ask> = Predicate & { readonly [asks]: Asks }
export type Ask = readonly [column: string, value?: Constant]

/** What a predicate asks about; `Ask` where it was written by hand. */
export type AsksOf<P> = P extends { readonly [asks]: infer Asks extends Ask } ? Asks : Ask

/**
 * The column has this value after the write.
 * @example when: is('status', 'paused')
 */
export function is<const C extends string, const V extends Constant>(
  column: C,
  value: V,
): When<readonly [C, V]> {
  return asking({ op: 'is', column, value })
}

/**
 * There was a row before, and the column had this value.
 * @example when: and(was('status', 'paused'), is('status', 'active'))
 */
export function was<const C extends string, const V extends Constant>(
  column: C,
  value: V,
): When<readonly [C, V]> {
  return asking({ op: 'was', column, value })
}

/**
 * The column has this value after the write and had another one, or there was no row, before.
 * @example when: becomes('status', 'paused')
 */
export function becomes<const C extends string, const V extends Constant>(
  column: C,
  value: V,
): When<readonly [C, V]> {
  return asking({ op: 'becomes', column, value })
}

/**
 * The column is not null after the write and was null, or there was no row, before.
 * @example when: becameNotNull('shipped_at')
 */
export function becameNotNull<const C extends string>(column: C): When<readonly [C]> {
  return asking({ op: 'becameNotNull', column })
}

/**
 * The column has another text after the write than before; no row before counts as null.
 * @example when: changes('email')
 */
export function changes<const C extends string>(column: C): When<readonly [C]> {
  return asking({ op: 'changes', column })
}

/**
 * All of them hold.
 * @example when: and(changes('email'), not(is('status', 'closed')))
 */
export function and<const P extends readonly Predicate[]>(...of: P): When<AsksOf<P[number]>> {
  return asking({ op: 'and', of: Object.freeze([...of]) })
}

/**
 * At least one of them holds.
 * @example when: or(becomes('status', 'paused'), becomes('status', 'held'))
 */
export function or<const P extends readonly Predicate[]>(...of: P): When<AsksOf<P[number]>> {
  return asking({ op: 'or', of: Object.freeze([...of]) })
}

/**
 * It does not hold.
 * @example when: not(was('status', 'unpaid'))
 */
export function not<const P extends Predicate>(of: P): When<AsksOf<P>> {
  return asking({ op: 'not', of })
}

/** The cast adds a member that only types have. */
function asking<Asks extends Ask>(predicate: Predicate): When<Asks> {
  return Object.freeze(predicate) as When<Asks>
}
