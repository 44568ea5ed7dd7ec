import type { Session } from '../db/index.js'
import { type SlotFolder, slotFolder } from '../fold/index.js'
import { compileReplayStream, streamRangeSql } from '../sql/index.js'
import { canonicalTexts } from './canonical-texts.js'
import { copyLines } from './copy-lines.js'
import { inSnapshot } from './in-snapshot.js'
import { type Candidate, replayStreams } from './replay-streams.js'
import type { Engine, Found } from './stream-check.js'

/**
 * The second engine: events and rows of a range are streamed by one COPY into the TypeScript fold, stream by stream, and
 * compared as texts. Where the texts differ the server is asked what the folded one is as a value of its column, since a
 * hand-written event may spell the same value otherwise.
 */
export const replayEngine: Engine = (source) => {
  const folder = slotFolder(source.model)
  return async (session, range) => {
    const replay = replayStreams(folder)
    const text = compileReplayStream(source, streamRangeSql(range))
    await inSnapshot(session, source, () => copyLines(session.copyTo(text), replay.line))
    const { streams, events, found, candidates } = replay.end()
    const differing = await settle(session, folder, candidates)
    return { rows: 0, streams, events, found: [...found, ...differing] }
  }
}

/** Both texts of a candidate are from one snapshot, so this needs no row and no event. */
export async function settle(
  session: Session,
  folder: SlotFolder,
  candidates: readonly Candidate[],
): Promise<readonly Found[]> {
  const asked = candidates.flatMap(({ columns }) =>
    columns.flatMap(({ slot, folded }) => {
      const column = folder.columns[slot]
      return folded === null || column === undefined ? [] : [{ column, text: folded }]
    }),
  )
  const answers = (await canonicalTexts(session, asked)).values()
  return candidates.flatMap(({ key, columns }): readonly Found[] => {
    let message: string | undefined
    let differs = false
    for (const { folded, row } of columns) {
      const answer = folded === null ? { text: null } : answers.next().value
      if (answer === undefined) continue
      if ('message' in answer) message ??= answer.message
      else if (answer.text !== row) differs = true
    }
    if (message !== undefined) return [{ key, kind: 'unreadable', message }]
    return differs ? [{ key, kind: 'row_differs' }] : []
  })
}
