import type { Io } from './io.js'

export interface Stop {
  /** Aborted by the first Ctrl-C (or SIGTERM). */
  readonly signal: AbortSignal
  /** Listens no more. */
  readonly release: () => void
}

/**
 * The first Ctrl-C asks the command to stop where it can be resumed; the second one ends the process at once, which
 * loses no more than the piece of work that is not committed yet.
 */
export function listenForStop(io: Io): Stop {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    io.stderr.write('\nstopping; once more to end at once\n')
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, onSignal)
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, onSignal)
    },
  }
}
