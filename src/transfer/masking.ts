import { RESIDUE_MEMBER } from '../definition/index.js'
import { members } from '../encode/index.js'
import { type Moved, writtenUnder } from '../fold/index.js'
import type { EventTexts } from './event-page.js'
import type { ExportedAggregate, ExportedColumn } from './export-header.js'

/** A raw JSON value -> what stands for it. JSON null is handled by the caller. */
export type MaskValue = (raw: string) => string

/** What is masked of one aggregate: columns by their numbers, which outlast their names, and facts by name. */
export interface AggregateMasks {
  readonly columns: ReadonlyMap<number, MaskValue>
  readonly facts: ReadonlyMap<string, MaskValue>
}

/** Masks an event wherever a masked column's value may travel. Stored members that aren't masked keep their very text. */
export type Masking = (event: EventTexts) => EventTexts

/**
 * Prepares the masking of an aggregate's events. A member of an event is the column that its name meant when it was
 * written: a declared attribute by the frozen definition, others (what no declared event explains, `$residue` too) by
 * the row shape that the event names. Where that can't be told, a name that a masked column ever bore is masked.
 */
export function maskingOf(aggregate: ExportedAggregate, masks: AggregateMasks): Masking {
  const ever = everNamed(aggregate, masks)
  const declared = new Map(
    aggregate.definitions.map((definition) => [
      versionOf(definition.type, String(definition.schemaVersion)),
      declaredBy(aggregate, definition),
    ]),
  )
  return (event) => {
    if (event.data === '{}' || !event.data.startsWith('{')) return event
    const shape = declared.get(versionOf(event.type, event.schema_version))
    const plain = memberMask(aggregate, masks, ever, event.metadata)
    const maskOf = (name: string): MaskValue | undefined => {
      if (shape?.facts.has(name) === true) return masks.facts.get(name)
      const attnum = shape?.columns.get(name)
      return attnum === undefined ? plain(name) : masks.columns.get(attnum)
    }
    const nested = shape?.columns.has(RESIDUE_MEMBER) !== true && shape?.facts.has(RESIDUE_MEMBER) !== true
    const data = masked(event.data, (name, raw) =>
      nested && name === RESIDUE_MEMBER && raw.startsWith('{')
        ? masked(raw, (inner, value) => applied(plain(inner), value))
        : applied(maskOf(name), raw),
    )
    return data === event.data ? event : { ...event, data }
  }
}

/** An object's text with its members replaced; the very same text where none was. */
export function masked(json: string, replace: (name: string, raw: string) => string): string {
  let changed = false
  const parts = [...members(json)].map(([name, raw]) => {
    const now = replace(name, raw)
    changed ||= now !== raw
    return `${JSON.stringify(name)}: ${now}`
  })
  return changed ? `{${parts.join(', ')}}` : json
}

/** NULL stays NULL: what is not there tells nobody's secret, and a creation leaves out what is NULL anyway. */
function applied(mask: MaskValue | undefined, raw: string): string {
  return mask === undefined || raw === 'null' ? raw : mask(raw)
}

const versionOf = (type: string, schemaVersion: string) => JSON.stringify([type, schemaVersion])

function declaredBy(
  { rowShapes, columns }: ExportedAggregate,
  { shape, rowShape }: ExportedAggregate['definitions'][number],
) {
  const then = (rowShapes.find(({ id }) => id === rowShape) ?? rowShapes[0])?.columns ?? columns
  const attributes = shape.data.flatMap(({ attribute, column }) => {
    const attnum = named(then, column) ?? named(columns, column)
    return attnum === undefined ? [] : [[attribute, attnum] as const]
  })
  return { columns: new Map(attributes), facts: new Set(shape.facts) }
}

/** The mask of a member that no definition declares. What several readings may mean is masked if one of them is. */
function memberMask(
  { rowShapes, columns }: ExportedAggregate,
  masks: AggregateMasks,
  ever: ReadonlyMap<string, MaskValue>,
  metadata: string,
): (name: string) => MaskValue | undefined {
  const { shape, moved } = writtenUnder(metadata)
  const then = (rowShapes.find(({ id }) => id === shape) ?? rowShapes[0])?.columns ?? columns
  return (name) => {
    const meant = meanings(then, moved, name)
    if (meant.length === 0) return ever.get(name)
    const attnum = meant.find((one) => masks.columns.has(one))
    return attnum === undefined ? undefined : masks.columns.get(attnum)
  }
}

/** The columns that a name may mean: of the shape, and of the table as it was where it had moved from under the writer. */
function meanings(then: readonly ExportedColumn[], moved: Moved, name: string): readonly number[] {
  const shaped = named(then, name)
  const since = [...moved].filter(([, now]) => now === name).map(([attnum]) => attnum)
  return shaped === undefined ? since : [shaped, ...since]
}

/** All names that masked columns ever bore. */
function everNamed(
  { rowShapes, columns, epochs }: ExportedAggregate,
  masks: AggregateMasks,
): ReadonlyMap<string, MaskValue> {
  const all = [
    ...[columns, ...rowShapes.map((shape) => shape.columns)].flat(),
    ...epochs.flatMap(({ attnum, name, kind, before, after }) =>
      [name, ...(kind === 'renamed' ? [before, after] : [])].map((one) => ({ attnum, name: one ?? '' })),
    ),
  ]
  return new Map(
    all.flatMap(({ attnum, name }) => {
      const mask = masks.columns.get(attnum)
      return mask === undefined ? [] : [[name, mask] as const]
    }),
  )
}

function named(columns: readonly ExportedColumn[], name: string): number | undefined {
  return columns.find((column) => column.name === name)?.attnum
}
