import type { Text } from '../definition/index.js'
import { type SlotFolder, StreamFolder, type StreamProblem } from '../fold/index.js'
import { copyValue } from './copy-lines.js'
import type { Found } from './stream-check.js'

/** A stream whose texts are not the row's: as values they may yet be equal. */
export interface Candidate {
  readonly key: string
  readonly columns: readonly { readonly slot: number; readonly folded: Text; readonly row: Text }[]
}

export interface Replay {
  /** Takes a line of `compileReplayStream`. */
  readonly line: (line: string) => void
  /** Ends the last stream and says what was met. */
  readonly end: () => {
    readonly streams: number
    readonly events: number
    readonly found: readonly Found[]
    readonly candidates: readonly Candidate[]
  }
}

/** The fields that come before the row's. */
const EVENT_FIELDS = 9

function foundOf(key: string, { kind, message }: StreamProblem): Found {
  return { key, kind, ...(message === undefined ? {} : { message }) }
}

/** Folds and compares as lines come, holding one stream's row at a time, and what differs. */
export function replayStreams(folder: SlotFolder): Replay {
  const found: Found[] = []
  const candidates: Candidate[] = []
  let streams = 0
  let events = 0
  let rawKey: string | null = null
  let key = ''
  let row: readonly string[] | null = null
  let stream = new StreamFolder(folder)

  const finish = () => {
    if (rawKey === null) return
    streams += 1
    const { problem, slots } = stream
    if (problem !== null) found.push(foundOf(key, problem))
    else if (slots === null && row !== null) found.push({ key, kind: 'dead_stream' })
    else if (slots !== null && row === null) found.push({ key, kind: 'missing_row' })
    else if (slots !== null && row !== null) compare(slots, row)
  }

  const compare = (slots: readonly Text[], fields: readonly string[]) => {
    let columns: { slot: number; folded: Text; row: Text }[] | undefined
    for (let slot = 0; slot < slots.length; slot += 1) {
      const folded = slots[slot] ?? null
      const field = fields[slot] ?? '\\N'
      if (folded === field && !field.includes('\\')) continue
      const text = copyValue(field)
      if (folded === text) continue
      columns ??= []
      columns.push({ slot, folded, row: text })
    }
    if (columns !== undefined) candidates.push({ key, columns })
  }

  const line = (text: string) => {
    const fields = text.split('\t', EVENT_FIELDS)
    const [
      id = '',
      version,
      type = '',
      schemaVersion,
      data = '',
      occurredAt = '',
      local = '\\N',
      metadata = '\\N',
    ] = fields
    if (id !== rawKey) {
      finish()
      rawKey = id
      key = copyValue(id) ?? ''
      row = null
      stream = new StreamFolder(folder)
    }
    events += 1
    if (fields[EVENT_FIELDS - 1] === 't') row = text.split('\t').slice(EVENT_FIELDS)
    stream.add({
      aggregateId: key,
      version: Number(version),
      type: copyValue(type) ?? '',
      schemaVersion: Number(schemaVersion),
      data: copyValue(data) ?? '',
      occurredAt,
      localTime: copyValue(local),
      ...(metadata === '\\N' ? {} : { metadata: copyValue(metadata) ?? '{}' }),
    })
  }

  return {
    line,
    end: () => {
      finish()
      return { streams, events, found, candidates }
    },
  }
}
