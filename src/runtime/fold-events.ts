import type { Row } from '../definition/index.js'
import { decodeText, members } from '../encode/index.js'
import { columnsOf, streamOf } from '../recognise/index.js'
import type { Meaning } from './command-binding.js'
import { invalid, type Named, wrongEvent } from './command-errors.js'
import type { Target } from './command-plan.js'
import type { KeyTexts, Loaded } from './load-row.js'
import type { Planned } from './planned-event.js'

interface Written {
  readonly loaded: Loaded | null
  readonly planned: readonly Planned[]
  readonly defaults: Row
  readonly now: Loaded['now']
  readonly named: Named
}

/** The row before and after the events, and the events that lead from one to the other. */
export function rowsOf(
  { deletes }: Target,
  binding: Meaning,
  { loaded, planned, defaults, now, named }: Written,
) {
  const { model, apply } = binding
  const id = loaded?.id ?? streamOf(model, newKey(binding, planned, defaults, named))
  const deleted: Planned = { type: model.residue.deleted, schemaVersion: 1, data: '{}', time: now }
  const events = deletes ? [...planned, deleted] : planned
  const after = events.reduce<Row | null>(
    (row, { type, schemaVersion, data, time }, index) =>
      apply(row, {
        aggregateId: id,
        version: index + 1,
        type,
        schemaVersion,
        data,
        occurredAt: time.utc,
        localTime: time.local,
      }),
    loaded?.row ?? null,
  )
  if (after !== null && streamOf(model, after) !== id) {
    throw wrongEvent(named, 'changes the key: the row would be another')
  }
  return { id, before: loaded?.row ?? null, after, events }
}

/** The key of a new row: as the creating event carries it, as it was given, or as the table makes it. */
function newKey({ model }: Meaning, [creating]: readonly Planned[], defaults: Row, named: Named): Row {
  const shape = model.events.find(({ type }) => type === creating?.type)
  const data = members(creating?.data ?? '{}')
  const key = model.key.map((name) => {
    const carried = shape?.data.find(({ column }) => column === name)
    const encoding = model.columns.find((column) => column.name === name)?.encoding ?? 'text'
    const text =
      carried === undefined ? undefined : decodeText(encoding, data.get(carried.attribute) ?? 'null')
    return [name, text ?? defaults[name] ?? null] as const
  })
  const missing = key.filter(([, text]) => text === null)
  if (missing.length === 0) return Object.fromEntries(key)
  throw invalid(
    named,
    missing.map(([name]) => ({ message: 'the key is missing, and the table gives none', path: [name] })),
  )
}

/** Columns that a new row may get by default: not given, and not set by whatever event creates a row. */
export function undecided(
  { model }: Meaning,
  given: KeyTexts,
): (column: { readonly name: string }) => boolean {
  const creating = model.events.filter(({ effect }) => effect === 'creates').map(columnsOf)
  return ({ name }) => !(name in given) && !creating.every((columns) => columns.includes(name))
}
