import type { EventwardError } from '../../src/errors/index.js'
import type { Output } from '../io.js'
import { styleFor } from './style.js'

/** `EW_CODE where: what. Next.` With `verbose` the stack and the causes behind it. */
export function errorText(
  error: EventwardError,
  { verbose, stream }: { readonly verbose: boolean; readonly stream: Output },
): string {
  const style = styleFor(stream)
  const what = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`
  const line = [style('red', error.code), what, ...(error.next === undefined ? [] : [error.next])].join(' ')
  return verbose ? [line, ...stacks(error)].join('\n') : line
}

function stacks(error: EventwardError): readonly string[] {
  const found: string[] = []
  for (let at: unknown = error; at instanceof Error && found.length < 8; at = at.cause) {
    found.push(at.stack ?? String(at))
  }
  return found
}
