import { fileURLToPath } from 'node:url'

/** A place in a source file; the column is known where the file did not compile. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number | null
}

/**
 * Where in the user's own files an error comes from, or null. A parser tells it in its message, to the column; for what
 * is thrown the stack tells the line (columns are those of the compiled code).
 */
export function placeOf(error: unknown): Place | null {
  if (!(error instanceof Error)) return null
  const parsed = /\s(\/.+|[A-Za-z]:\\.+):(\d+):(\d+)\s*$/.exec(error.message)
  if (parsed !== null) return place(parsed, Number(parsed[3]))
  for (const line of error.stack?.split('\n') ?? []) {
    const frame = /^\s+at .*?\(?((?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^()]+?):(\d+):\d+\)?$/.exec(line)
    if (frame !== null && !isOurs(frame[1] ?? '')) return place(frame, null)
  }
  return null
}

function place([, file = '', line = '']: readonly string[], column: number | null): Place {
  return { file: file.startsWith('file:') ? fileURLToPath(file) : file, line: Number(line), column }
}

/** Frames of this package and of what it depends on don't help the writer of a configuration. */
function isOurs(file: string): boolean {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return /[\\/]node_modules[\\/]/.test(path) || path.startsWith(OWN_ROOT)
}

const OWN_ROOT = fileURLToPath(new URL('..', import.meta.url))
