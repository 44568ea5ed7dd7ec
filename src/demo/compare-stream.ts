import type { Row } from '../definition/index.js'
import type { Folder, StoredEvent } from '../fold/index.js'
import { sameTexts, type Texts, type Write } from './ledger.js'

/** Between which two tickets capture went on: earlier writes need no events, those in between may have some. */
export interface CapturedBetween {
  readonly from: bigint
  readonly to: bigint
}

/** An event with what tells who wrote it. */
export interface LoggedEvent extends StoredEvent {
  readonly xid: string
  readonly source: string
  /** The row as it was before its first captured write. */
  readonly existing: boolean
}

/** How one stream compares with the ledger of its key. */
export interface Compared {
  readonly lost: number
  readonly doubled: number
  readonly differ: number
  readonly moments: number
  readonly examples: readonly string[]
}

/**
 * Compares a stream with the ledger of its key: after each transaction, the events up to there must fold to the row that
 * its writer saw; no write without an event, no event without a write. Pure.
 */
export function compareStream(
  apply: Folder,
  { key, history, before }: { key: string; history: readonly Write[]; before: Texts | null },
  events: readonly LoggedEvent[],
  { from, to }: CapturedBetween,
): Compared {
  const moments = momentsOf(history, before)
  const left = new Map(moments)
  const found = { lost: 0, doubled: 0, differ: 0, moments: 0, examples: [] as string[] }
  const note = (what: string) => found.examples.push(`${key} ${what}`)
  let folded: Row | null = null
  for (const group of groupsByTransaction(events)) {
    for (const event of group) folded = apply(folded, event)
    const [first] = group
    if (first === undefined || first.source === 'backfill') continue
    const moment = left.get(first.xid)
    left.delete(first.xid)
    found.moments += 1
    if (moment === undefined || moment.ticket < from || repeated(group) > Math.max(moment.changes, 1)) {
      found.doubled += 1
      note(`v${first.version}: events without a write of transaction ${first.xid}, or too many`)
    } else if (!sameTexts(folded, moment.row)) {
      found.differ += 1
      note(`v${first.version}: events ${JSON.stringify(folded)}, writer ${JSON.stringify(moment.row)}`)
    }
  }
  for (const [xid, { changes, ticket }] of left) {
    if (ticket <= to || changes === 0) continue
    found.lost += 1
    note(`transaction ${xid} left no event`)
  }
  return found
}

/** What one transaction did to the row: the last image, and how many of its writes changed something. */
interface Moment {
  row: Texts | null
  changes: number
  readonly ticket: bigint
}

function momentsOf(history: readonly Write[], before: Texts | null): ReadonlyMap<string, Moment> {
  const moments = new Map<string, Moment>()
  let row = before
  for (const write of history) {
    const moment = moments.get(write.xid) ?? { row: null, changes: 0, ticket: write.ticket }
    moment.changes += sameTexts(row, write.row) ? 0 : 1
    moment.row = write.row
    moments.set(write.xid, moment)
    row = write.row
  }
  return moments
}

/** Events of one transaction are neighbours in their stream: it held the row. */
function groupsByTransaction(events: readonly LoggedEvent[]): readonly (readonly LoggedEvent[])[] {
  const groups: LoggedEvent[][] = []
  for (const event of events) {
    const last = groups.at(-1)
    if (last?.[0]?.xid === event.xid) last.push(event)
    else groups.push([event])
  }
  return groups
}

/** How often the most frequent event of a group is in it. */
function repeated(group: readonly LoggedEvent[]): number {
  const counts = new Map<string, number>()
  for (const { type, data, occurredAt, existing } of group) {
    const what = [type, data, occurredAt, existing].join(' ')
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return Math.max(...counts.values())
}
