/** The type of `occurredAt`: an object of its own, so that messages print it by name. */
export interface OccurredAt {
  readonly kind: 'occurredAt'
}

/**
 * Binds a column of `set` to the time at which the event occurred. The first column bound in an event also tells when
 * it is recognised: it became non-null, or changed.
 *
 * @example
 * set: { status: 'active', activated_at: occurredAt }
 */
export const occurredAt: OccurredAt = Object.freeze({ kind: 'occurredAt' })
