/**
 * What the compiler shows where a definition is wrong: nothing is assignable to it, and its argument says why.
 * An object and not a bare string, since a string intersected with another literal collapses to `never`.
 */
export interface Refused<Message extends string> {
  readonly 'refused by eventward': Message
}

/** The same for a value that its column does not take; `Allowed` is what it takes. */
export interface RefusedValue<Message extends string, Allowed> {
  readonly 'refused by eventward': Message
  readonly allowed: Allowed
}
