import type { LoadedConfig } from '../config/index.js'
import type { Database } from '../db/index.js'
import { HistoryFolder } from '../fold/index.js'
import { type HistoryEntry, historyEntry } from './history-entry.js'
import { openStream, streamPages } from './read-stream.js'

export interface HistoryHead {
  readonly aggregate: string
  readonly table: string
  readonly id: string
  /** The stream's last version. */
  readonly lastVersion: number
}

export interface History extends HistoryHead {
  readonly entries: readonly HistoryEntry[]
}

export interface HistoryInput {
  readonly aggregate: string
  readonly id: string
  /** So many of the latest events only. @default all */
  readonly last?: number
}

/** Who is told a history as it's read. */
export interface HistoryReader {
  readonly begin?: (head: HistoryHead) => Promise<void>
  /** @returns false to hear no more */
  readonly entry: (entry: HistoryEntry) => Promise<boolean> | boolean
}

/**
 * The audit log of one row, event by event: what each changed, when, who and why. Reads only, a page at a time, whatever
 * the stream's length; the reader may take its time, no snapshot is held.
 *
 * @throws UsageError EW_AGGREGATE_UNKNOWN, EW_KEY_INVALID, EW_STREAM_UNKNOWN, EW_NOT_MIGRATED; EW_APPLY, EW_UPCAST where
 * the definition's own code fails.
 */
export async function readHistory(
  database: Database,
  config: LoadedConfig,
  { aggregate, id, last }: HistoryInput,
  reader: HistoryReader,
): Promise<void> {
  await database.session(async (session) => {
    const stream = await session.transaction({ readOnly: true }, () =>
      openStream(session, config, { aggregate, id }),
    )
    const { model, table, lastVersion } = stream
    await reader.begin?.({ aggregate: model.name, table, id: stream.id, lastVersion })
    const passedOver = last === undefined ? 0 : Math.max(0, lastVersion - last)
    const folder = new HistoryFolder(model)
    for await (const page of streamPages(session, stream)) {
      for (const event of page) {
        const folded = folder.add(event)
        if (event.version <= passedOver) continue
        if ((await reader.entry(historyEntry(model, folded))) === false) return
      }
    }
  })
}

/** The same as one list, for streams that are known to be short. Throws as `readHistory`. */
export async function history(
  database: Database,
  config: LoadedConfig,
  input: HistoryInput,
): Promise<History> {
  const entries: HistoryEntry[] = []
  const heads: HistoryHead[] = []
  await readHistory(database, config, input, {
    begin: async (head) => {
      heads.push(head)
    },
    entry: (entry) => entries.push(entry) > 0,
  })
  return { ...heads[0]!, entries }
}
