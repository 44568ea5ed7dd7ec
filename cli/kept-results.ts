import { asError } from './as-error.js'
import type { Outcome } from './command.js'

/**
 * Does work that comes to one result per table. Where it fails after some tables are done, their results are kept in the
 * outcome, beside the error; where it fails before, the error is all there is.
 */
export async function keptResults<Result>(
  work: (onResult: (result: Result) => void) => Promise<void>,
  outcomeOf: (results: readonly Result[]) => Outcome,
): Promise<Outcome> {
  const results: Result[] = []
  try {
    await work((result) => results.push(result))
  } catch (error) {
    if (results.length === 0) throw error
    return { ...outcomeOf(results), ok: false, error: asError(error) }
  }
  return outcomeOf(results)
}
