import type { MadeTimeMachine, RefusedTimeMachine, TimeMachine } from '../../src/timemachine/index.js'
import type { Output } from '../io.js'
import { marks } from './marks.js'

type Shown = RefusedTimeMachine | (TimeMachine & Partial<Pick<MadeTimeMachine, 'asText'>>)

/** The functions of tables, and how to call the first. Pure. */
export function timeMachineText(tables: readonly Shown[], stream: Output): string {
  const mark = marks(stream)
  const lines = tables.flatMap((one) => linesOf(one, mark))
  const first = tables.find((one): one is TimeMachine => !('error' in one) && one.state === 'on')
  return [...lines, ...(first === undefined ? [] : [`select * from ${first.function}('2018-03-01')`])].join(
    '\n',
  )
}

function linesOf(one: Shown, mark: ReturnType<typeof marks>): readonly string[] {
  if ('error' in one) return [`${mark.bad} ${one.table}: ${one.error.message}`, `  ${one.error.next ?? ''}`]
  const { table, asText = [] } = one
  switch (one.state) {
    case 'on':
      return [
        `${mark.ok} ${table}: ${one.function}(timestamptz)`,
        ...(asText.length === 0 ? [] : [`  as text: ${asText.join(', ')}`]),
      ]
    case 'stale':
      return [`${mark.warn} ${table}: ${one.function} is of older columns or events, and refuses`, AGAIN]
    case 'missing':
      return [`${mark.warn} ${table}: ${one.function} was dropped`, AGAIN]
    case 'off':
      return [`${mark.none} ${table}: no function`]
  }
}

const AGAIN = '  Run `eventward time-machine on`.'
