import type { Session } from '../db/index.js'
import type { EventsTable } from '../migrate/index.js'
import type { Mark } from '../sql/index.js'
import { lastPosition, nextId, snapshot as readSnapshot } from './verified-mark.js'

/**
 * Takes marks of what is written so far. Take one before reading what it is to cover: what its snapshot doesn't see is
 * new afterwards, whoever wrote it, and lies above its horizon.
 *
 * A transaction that is at work may have drawn its position long ago and commit late: the greatest position that is
 * seen is no horizon. A position counts as one once every transaction has ended that could have drawn a smaller one:
 * all those that had an id when the position was read (`NEXT_ID`). So the horizon lags behind while one is open.
 *
 * @param horizon what is known to be a horizon already: that of an earlier mark.
 */
export function marker(events: EventsTable, horizon = '0'): (session: Session) => Promise<Mark> {
  let known = BigInt(horizon)
  let read: readonly { readonly position: bigint; readonly next: bigint }[] = []
  return async (session) => {
    const position = await lastPosition(session, events)
    const asked = await nextId(session)
    const { snapshot, xmin, xmax } = await readSnapshot(session)
    const next = asked > BigInt(xmax) ? asked : BigInt(xmax)
    read = [...read, { position: BigInt(position), next }]
    const ended = read.filter((one) => one.next <= BigInt(xmin))
    for (const one of ended) if (one.position > known) known = one.position
    read = read.filter((one) => one.next > BigInt(xmin))
    return { snapshot, horizon: known.toString() }
  }
}
