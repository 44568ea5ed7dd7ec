import type { Session } from '../db/index.js'

/** A half-open range; null is no border. */
export interface Range<Border> {
  readonly after: Border | null
  readonly upTo: Border | null
}

/** Hands out the ranges of a pass, one after the other, to any number of workers. */
export interface SharedCursor<Border> {
  /** The next range, or null where all are handed out. */
  readonly next: (session: Session) => Promise<Range<Border> | null>
}

/**
 * Plans as it goes, so that no list of ranges is held, by asking for the border after the last one: null means that
 * fewer are left, and the last range is open, so that what is added at the end meanwhile is looked at too.
 */
export function sharedCursor<Border>(
  nextBorder: (session: Session, after: Border | null) => Promise<Border | null>,
): SharedCursor<Border> {
  let after: Border | null = null
  let ended = false
  let last: Promise<unknown> = Promise.resolve()

  const plan = async (session: Session): Promise<Range<Border> | null> => {
    if (ended) return null
    const from: Border | null = after
    const upTo: Border | null = await nextBorder(session, from)
    after = upTo
    ended = upTo === null
    return { after: from, upTo }
  }

  return {
    next: (session) => {
      const planned = last.then(() => plan(session))
      // A failed planner is the failure of whoever asked; the next one tries from the same place.
      last = planned.catch(() => undefined)
      return planned
    },
  }
}
