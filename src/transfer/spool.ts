import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Spooled {
  readonly path: string
  /** Removes what was written for it. */
  readonly forget: () => Promise<void>
}

/** A stream as a file that nobody else may read: it has to be read to its end before it's believed. A file is itself. */
export async function spooled(from: string | Readable): Promise<Spooled> {
  if (typeof from === 'string') return { path: from, forget: async () => undefined }
  const folder = await mkdtemp(join(tmpdir(), 'eventward-import-'))
  const forget = () => rm(folder, { recursive: true, force: true })
  const path = join(folder, 'events.jsonl')
  try {
    await pipeline(from, createWriteStream(path, { mode: 0o600 }))
  } catch (error) {
    await forget()
    throw error
  }
  return { path, forget }
}
