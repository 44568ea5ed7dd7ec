import { StoppedError } from '../src/errors/index.js'
import { documentText } from './document.js'
import type { Output } from './io.js'

/**
 * Output whose list is written as it comes, whatever its length: one document with `--json`, text without. A command that
 * uses it gives an outcome as any other one does; that ends what was begun here.
 */
export interface LongOutput {
  /** Writes what comes before the list: the members that are known, and the name of the list. */
  readonly begin: (opening: Opening) => Promise<void>
  /** Writes an item of it. @returns false where nobody reads any more (`| head`) */
  readonly item: (value: unknown, text: () => string) => Promise<boolean>
  /** Whether it was begun. */
  readonly isOpen: () => boolean
  /** Writes what comes after the list: further members of the document, or a text. */
  readonly end: (members: Readonly<Record<string, unknown>>, text: string) => void
}

interface Opening {
  readonly members: Readonly<Record<string, unknown>>
  readonly list: string
  readonly text: string
}

/** The output of one command. Waits for a slow reader, so that nothing piles up. */
export function longOutput(
  command: string,
  { stdout, json, signal }: { readonly stdout: Output; readonly json: boolean; readonly signal: AbortSignal },
): LongOutput {
  let open = false
  let count = 0
  const reader = { gone: false }
  const write = async (text: string): Promise<void> => {
    if (signal.aborted) throw new StoppedError('EW_STOPPED', `${command} was stopped`)
    if (!reader.gone && !stdout.write(text)) await drained(stdout, signal)
  }
  return {
    async begin({ members, list, text }) {
      open = true
      stdout.once('error', () => {
        reader.gone = true
      })
      const opening = documentText({ v: 1, command, ...members, [list]: [] } as never)
      await write(json ? opening.slice(0, -']}'.length) : `${text}\n`)
    },
    async item(value, text) {
      await write(json ? `${count === 0 ? '' : ','}${JSON.stringify(value)}` : `\n${text()}\n`)
      count += 1
      return !reader.gone
    },
    isOpen: () => open,
    end(members, text) {
      open = false
      if (reader.gone) return
      if (json) stdout.write(`],${JSON.stringify(members).slice(1)}\n`)
      else if (text !== '') stdout.write(`\n${text}\n`)
    },
  }
}

/** A reader that is gone never drains. */
function drained(stdout: Output, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'error', 'close']) stdout.off(event, done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    for (const event of ['drain', 'error', 'close']) stdout.on(event, done)
    signal.addEventListener('abort', done)
  })
}
