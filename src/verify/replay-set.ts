import type { Session } from '../db/index.js'
import { foldStream, type SlotFolder, slotFolder } from '../fold/index.js'
import type { VerifiedTable } from './in-snapshot.js'
import { readPair } from './read-pair.js'
import { settle } from './replay-engine.js'
import type { Candidate } from './replay-streams.js'
import type { Checked, Found } from './stream-check.js'

/** Streams that were folded in TypeScript; some may be equal though their texts differ: `settle` asks. */
export interface Folded {
  readonly checked: Checked
  readonly candidates: readonly Candidate[]
}

/**
 * Folds streams in TypeScript and compares them with their rows: each pair is read by one statement, within the caller's
 * transaction, which holds the table's lock. Raises class 22 where an id is none of the key.
 */
export async function replaySet(
  session: Session,
  source: VerifiedTable,
  ids: readonly string[],
): Promise<Folded> {
  const folder = slotFolder(source.model)
  const found: Found[] = []
  const candidates: Candidate[] = []
  let [rows, streams, events] = [0, 0, 0]
  for (const key of ids) {
    const pair = await readPair(session, source, key)
    if (pair.row !== null) rows += 1
    if (pair.events.length > 0) streams += 1
    events += pair.events.length
    if (pair.events.length === 0) {
      if (pair.row !== null) found.push({ key, kind: 'missing_stream' })
      continue
    }
    const { row, problem } = foldStream(source.model, pair.events)
    if (problem !== null) {
      const { kind, message } = problem
      found.push({ key, kind, ...(message === undefined ? {} : { message }) })
    } else if (row === null || pair.row === null) {
      if (row !== null) found.push({ key, kind: 'missing_row' })
      if (pair.row !== null) found.push({ key, kind: 'dead_stream' })
    } else candidates.push(...differing(folder, key, { folded: row, row: pair.row }))
  }
  return { checked: { rows, streams, events, found }, candidates }
}

function differing(
  { columns }: SlotFolder,
  key: string,
  { folded, row }: Readonly<Record<'folded' | 'row', Readonly<Record<string, string | null>>>>,
): readonly Candidate[] {
  const wrong = columns.flatMap(({ name }, slot) => {
    const texts = { folded: folded[name] ?? null, row: row[name] ?? null }
    return texts.folded === texts.row ? [] : [{ slot, ...texts }]
  })
  return wrong.length === 0 ? [] : [{ key, columns: wrong }]
}

/** What was folded, with the answer to what differs but in its text. */
export async function settled(
  session: Session,
  source: VerifiedTable,
  { checked, candidates }: Folded,
): Promise<Checked> {
  const differ = await settle(session, slotFolder(source.model), candidates)
  return { ...checked, found: [...checked.found, ...differ] }
}
