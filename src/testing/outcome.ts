import { appendedEvent, type Meaning, type Rehearsed, stateOf } from '../runtime/index.js'

/** What came of a command: what became of its aggregates, or what it threw. */
export type Seen = About &
  (
    | { readonly result: Readonly<Record<string, Rehearsed>> }
    | { readonly result?: never; readonly error: unknown }
  )

export interface About {
  /** Whether it's a command over one aggregate. */
  readonly only: boolean
  readonly targets: readonly { readonly slot: string; readonly meaning: Meaning }[]
}

/** Events as `call` gives them, and the row; by slot where there are several. @throws what the command threw */
export function outcomeOf(seen: Seen): unknown {
  const { result } = seen
  if (result === undefined) throw seen.error
  const all = Object.entries(result).map(([slot, one]) => [slot, outcome(one)] as const)
  return seen.only ? all[0]?.[1] : Object.fromEntries(all)
}

function outcome({ binding, id, version, events, after }: Rehearsed) {
  return {
    events: events.map((event, index) =>
      appendedEvent(binding.model, id ?? '', {
        version: String(version + index + 1),
        position: String(version + index + 1),
        type: event.type,
        schema_version: String(event.schemaVersion),
        data: event.data,
        metadata: '{}',
        occurred_at: event.time.utc,
        recorded_at: event.time.utc,
      }),
    ),
    row: stateOf(binding, after),
  }
}
