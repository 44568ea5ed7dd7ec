/**
 * A place in the log, for a reader that gets each event once. Delivered is what `snapshot` saw; an open window is what
 * `upto` sees and `snapshot` doesn't, read in order of position up to `position`. All numbers are texts.
 */
export interface Cursor {
  /** pg_snapshot's text; null: nothing was delivered yet. */
  readonly snapshot: string | null
  /** Up to this position events were written in another cluster, before all marks; null: not asked yet. */
  readonly restored: string | null
  /** What the snapshot doesn't see lies above this position. */
  readonly horizon: string
  /** The horizon that holds once the window is drained. */
  readonly nextHorizon: string | null
  /** A position that becomes a horizon when all have ended that may have drawn a smaller one: those below `pendingNext`. */
  readonly pendingPosition: string | null
  readonly pendingNext: string | null
  readonly upto: string | null
  readonly position: string
}

/** A moment of the log: what `snapshot` sees is written. */
export interface Mark {
  readonly snapshot: string
  readonly xmin: string
  /** Whoever has no smaller id than this one took it after the position was read. */
  readonly next: string
  /** Read before the snapshot was taken: whoever has no id in it yet draws a greater one. */
  readonly position: string
  /** What `takeMark` was given, or found. */
  readonly restored: string
}

/** Before the first event. */
export const BEGINNING: Cursor = Object.freeze({
  snapshot: null,
  restored: null,
  horizon: '0',
  nextHorizon: null,
  pendingPosition: null,
  pendingNext: null,
  upto: null,
  position: '0',
})

/** From this moment on. What was under way then comes, too; until it has ended, no horizon is known. */
export function cursorAt(mark: Mark): Cursor {
  return {
    ...BEGINNING,
    snapshot: mark.snapshot,
    restored: mark.restored,
    pendingPosition: mark.position,
    pendingNext: mark.next,
  }
}

/**
 * Opens a window: what the mark sees and the cursor's snapshot doesn't, above the cursor's horizon. The horizon that holds
 * once it's drained is an earlier mark's position, as soon as all have ended that may have drawn a smaller one. Pure.
 */
export function openWindow(cursor: Cursor, mark: Mark): Cursor {
  const ended = cursor.pendingNext !== null && BigInt(cursor.pendingNext) <= BigInt(mark.xmin)
  const reached = ended ? BigInt(cursor.pendingPosition ?? '0') : 0n
  const known = BigInt(cursor.horizon)
  const keep = cursor.pendingNext !== null && !ended
  return {
    ...cursor,
    restored: cursor.restored ?? mark.restored,
    nextHorizon: String(reached > known ? reached : known),
    pendingPosition: keep ? cursor.pendingPosition : mark.position,
    pendingNext: keep ? cursor.pendingNext : mark.next,
    upto: mark.snapshot,
    position: cursor.horizon,
  }
}

/** All of the window was delivered: what `upto` saw is the past now. Pure. */
export function closeWindow(cursor: Cursor): Cursor {
  return {
    ...cursor,
    snapshot: cursor.upto,
    horizon: cursor.nextHorizon ?? cursor.horizon,
    nextHorizon: null,
    upto: null,
    position: '0',
  }
}
