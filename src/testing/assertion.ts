import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { diffString } from 'json-diff'

export interface Compared {
  readonly actual?: unknown
  readonly expected?: unknown
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/**
 * @param what what is wrong, in a few words.
 * @throws AssertionError with both sides and a readable difference: `-` what was expected, `+` what came.
 */
export function requireSame(what: string, { actual, expected, hint }: Compared): void {
  if (isDeepStrictEqual(actual, expected)) return
  const diff = diffString(expected, actual, { color: false }).trimEnd()
  throw assertion([what, '', diff, ...(hint === undefined ? [] : ['', hint])].join('\n'), {
    actual,
    expected,
  })
}

/** What every test runner shows as a failed assertion, and not as an error. */
export function assertion(message: string, { actual, expected, cause }: Compared): AssertionError {
  // An operator that Node knows would make it put a difference of its own behind the message.
  const error = new AssertionError({ message, actual, expected, operator: 'eventward' })
  if (cause !== undefined) error.cause = cause
  return error
}
