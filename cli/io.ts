import type { Readable, Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Where a command reads from and writes to: the process, or a test. */
export interface Io {
  /** What `-` names. @default nothing */
  readonly stdin?: Readable
  readonly stdout: Output
  readonly stderr: Output
  /** True where someone can answer a question. */
  readonly interactive: boolean
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
}

/** The process itself. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process
  // `eventward status | head` closes our output early; that's no error of ours.
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosedPipe)
  return {
    stdin,
    stdout,
    stderr,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    env,
    cwd: process.cwd(),
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
