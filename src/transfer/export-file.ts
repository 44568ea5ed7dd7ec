import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, truncate } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { UsageError } from '../errors/index.js'
import type { ExportFooter, ExportHeader } from './export-header.js'

/** Where lines go. */
export interface LineSink {
  /** Takes whole lines; resolves once more may be given. */
  readonly write: (lines: string) => Promise<void>
  /** Ends it: what was written is on disk. */
  readonly close: () => Promise<void>
}

/** A new file that nobody else may read: it holds what the tables hold. @throws UsageError EW_EXPORT_EXISTS */
export async function newFile(path: string): Promise<LineSink> {
  try {
    return fileSink(await open(path, 'wx', 0o600))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new UsageError('EW_EXPORT_EXISTS', `${path} is there already`, {
        next: 'Name another file, or go on with this one by --resume.',
        cause,
      })
    throw new UsageError('EW_EXPORT_FILE', `${path} can't be written: ${String(code ?? cause)}`, {
      next: 'Correct the path.',
      cause,
    })
  }
}

/** Goes on behind the last whole line of a file; what was begun of another is cut off. */
export async function goOnWith(path: string, whole: number): Promise<LineSink> {
  await truncate(path, whole)
  return fileSink(await open(path, 'a', 0o600))
}

/** Lines to a stream that is not ours to end. */
export function streamSink(stream: Writable): LineSink {
  return {
    write: (lines) =>
      new Promise((resolve, reject) => {
        stream.write(lines, (error) => (error == null ? resolve() : reject(error)))
      }),
    close: async () => undefined,
  }
}

function fileSink(file: FileHandle): LineSink {
  return {
    write: (lines) => file.writeFile(lines),
    close: async () => {
      await file.sync().finally(() => file.close())
    },
  }
}

/** How far a file is. */
export interface PartialFile {
  readonly header: ExportHeader
  /** The position of its last event; '0' where there is none. */
  readonly last: string
  readonly events: number
  /** Bytes up to the end of its last whole line. */
  readonly bytes: number
  /** Of all whole lines but the footer. */
  readonly hash: Hash
  /** Null where its end is missing. */
  readonly footer: ExportFooter | null
}

/** What a footer says of the lines before it. */
export function footerOf({
  last,
  events,
  hash,
}: Pick<PartialFile, 'last' | 'events' | 'hash'>): ExportFooter {
  return {
    end: true,
    events: String(events),
    last: events === 0 ? null : last,
    sha256: hash.copy().digest('hex'),
  }
}

/**
 * Reads how far a file is; each line is looked at, one is held.
 *
 * @throws UsageError EW_EXPORT_UNREADABLE, also where it ends with a footer that doesn't fit what stands before it
 */
export async function readPartial(path: string): Promise<PartialFile> {
  let header: ExportHeader | null = null
  let footer: string | null = null
  let [last, events, bytes] = ['0', 0, 0]
  const hash = createHash('sha256')
  for await (const { line, end } of linesOf(path)) {
    bytes = end
    if (footer !== null) throw unreadable(path, 'something stands behind its last line')
    if (line.startsWith('{"end"')) {
      footer = line
      continue
    }
    hash.update(line).update('\n')
    if (header === null) {
      header = parseHeader(line, path)
      continue
    }
    const position = positionOf(line, path)
    if (BigInt(position) <= BigInt(last)) throw unreadable(path, `${position} does not come after ${last}`)
    last = position
    events += 1
  }
  if (header === null) throw unreadable(path, 'it has no whole line')
  const found = { header, last, events, bytes, hash }
  if (footer === null) return { ...found, footer: null }
  const computed = footerOf(found)
  if (footer !== JSON.stringify(computed))
    throw unreadable(path, 'it was changed or damaged: its last line says otherwise than its lines')
  return { ...found, footer: computed }
}

/** A whole export. @throws UsageError EW_EXPORT_UNREADABLE where it has no end */
export async function readWhole(path: string): Promise<PartialFile & { readonly footer: ExportFooter }> {
  const found = await readPartial(path)
  if (found.footer !== null) return { ...found, footer: found.footer }
  throw unreadable(path, `its end is missing: it breaks off after ${found.events} events`)
}

/** The whole lines of a file, with the byte behind each. A last line without its newline is none. */
export async function* linesOf(
  path: string,
): AsyncGenerator<{ readonly line: string; readonly end: number }> {
  // A byte that is none of UTF-8 must not pass as U+FFFD.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let begun: string[] = []
  let end = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const text = decoder.decode(chunk as Buffer, { stream: true })
      let start = 0
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', start)) {
        begun.push(text.slice(start, at))
        const line = begun.join('')
        begun = []
        start = at + 1
        end += Buffer.byteLength(line) + 1
        yield { line, end }
      }
      if (start < text.length) begun.push(text.slice(start))
    }
  } catch (cause) {
    const { syscall, code } = cause as NodeJS.ErrnoException
    if (syscall === undefined && code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw cause
    throw unreadable(path, code ?? String(cause), cause)
  }
}

/** The header alone. @throws UsageError EW_EXPORT_UNREADABLE */
export async function readHeaderLine(path: string): Promise<ExportHeader> {
  for await (const { line } of linesOf(path)) return parseHeader(line, path)
  throw unreadable(path, 'it has no whole line')
}

function parseHeader(line: string, path: string): ExportHeader {
  const found = parsed(line)
  if (found['eventward'] !== 'export') throw unreadable(path, 'its first line is not that of an export')
  if (found['format'] !== 1)
    throw unreadable(path, `it's of format ${String(found['format'])}, this code reads 1`)
  return found as unknown as ExportHeader
}

/** The position with which each event's line begins, as `eventLine` writes it. */
export function positionOf(line: string, path: string): string {
  const position = /^\{"position":"(\d+)",/.exec(line)?.[1]
  if (position === undefined) throw unreadable(path, `a line of it is no event: ${line.slice(0, 60)}`)
  return position
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {} // no JSON: the caller says what was expected
  }
}

function unreadable(path: string, why: string, cause?: unknown): UsageError {
  return new UsageError('EW_EXPORT_UNREADABLE', `${path}: ${why}`, {
    next: 'Name a file that `eventward export` has written, to its end where it is to be imported.',
    details: { file: path },
    cause,
  })
}
