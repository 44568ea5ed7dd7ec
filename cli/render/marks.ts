import type { Output } from '../io.js'
import { styleFor } from './style.js'

/** ✓ ✗ ! · with a colour where there are colours; the sign alone tells as much. */
export function marks(stream: Output) {
  const style = styleFor(stream)
  return {
    ok: style('green', '✓'),
    bad: style('red', '✗'),
    warn: style('yellow', '!'),
    none: style('dim', '·'),
    dim: (text: string) => style('dim', text),
    bold: (text: string) => style('bold', text),
  } as const
}
