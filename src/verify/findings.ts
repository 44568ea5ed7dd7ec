import type { Session } from '../db/index.js'
import { type DescribeInput, describeDifference } from './describe-difference.js'
import { keepMismatches, type MismatchScope } from './keep-mismatches.js'
import type { Checked, Found } from './stream-check.js'
import type { Difference } from './verify-result.js'

/** What a run has met so far. */
export interface Findings {
  readonly rows: number
  readonly streams: number
  readonly events: number
  readonly differences: number
  /** False where more differ than are kept: the run then closes no mismatch that it doesn't know of. */
  readonly complete: boolean
  /** The ones that are told, in order of key. */
  readonly listed: () => readonly Difference[]
  /** Counts a range, describes what is to be told and stores what differs. */
  readonly add: (session: Session, checked: Checked) => Promise<void>
}

/** Beyond these a table has another trouble than single rows; the count stays exact. */
const KEPT = 10_000

export interface FindingsInput {
  readonly describe: DescribeInput
  readonly scope: MismatchScope
  /** How many are looked at column by column, and told. */
  readonly detailLimit: number
}

/** Starts empty. Shared by workers: ranges come in any order. */
export function findings({ describe, scope, detailLimit }: FindingsInput): Findings {
  const counts = { rows: 0, streams: 0, events: 0, differences: 0 }
  const listed: Difference[] = []
  let told = 0
  let kept = 0

  const store = async (session: Session, found: readonly Found[]) => {
    const detailed = found.slice(0, Math.max(0, detailLimit - told))
    told += detailed.length
    const differences: Difference[] = []
    for (const one of detailed) differences.push(await describeDifference(session, describe, one))
    listed.push(...differences)
    const rest = found.slice(detailed.length).map(({ key, kind }) => ({ key, kind, columns: [] }))
    await keepMismatches(session, scope, [...differences, ...rest])
  }

  return {
    get rows() {
      return counts.rows
    },
    get streams() {
      return counts.streams
    },
    get events() {
      return counts.events
    },
    get differences() {
      return counts.differences
    },
    get complete() {
      return counts.differences <= KEPT
    },
    listed: () => [...listed].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
    add: async (session, { rows, streams, events, found }) => {
      counts.rows += rows
      counts.streams += streams
      counts.events += events
      counts.differences += found.length
      const room = found.slice(0, Math.max(0, KEPT - kept))
      kept += room.length
      await store(session, room)
    },
  }
}
