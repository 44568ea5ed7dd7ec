import { EventwardError } from '../src/errors/index.js'

/** Whatever was thrown, as an error of ours. What nobody foresaw is a defect, and says so. */
export function asError(thrown: unknown): EventwardError {
  if (thrown instanceof EventwardError) return thrown
  return new Defect(thrown)
}

class Defect extends EventwardError {
  override readonly exitStatus = 3

  constructor(cause: unknown) {
    const what = cause instanceof Error ? `${cause.name}: ${cause.message.split('\n')[0]}` : String(cause)
    super('EW_DEFECT', `eventward failed in a way that it should not: ${what}`, {
      next: 'Run it again with --verbose and report what it prints. What was committed is kept.',
      cause,
    })
  }
}
