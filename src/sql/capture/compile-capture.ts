import type { CaptureInput } from './capture-input.js'
import { compileAfter } from './compile-after.js'
import { compileAppend, compileRevoke } from './compile-append.js'
import { compileBefore } from './compile-before.js'
import { compileCold } from './compile-cold.js'
import { compileTruncate } from './compile-truncate.js'

/**
 * The functions of a captured table's triggers, as statements to run in this order, in the transaction that puts the
 * triggers on. They replace those that are there.
 */
export function compileCapture(input: CaptureInput): readonly string[] {
  return [
    compileAppend(input),
    compileCold(input),
    compileBefore(input),
    compileAfter(input),
    compileTruncate(input),
    ...compileRevoke(input),
  ]
}
