import type { Constant, StoredVersion, Upcast, UpcastStep, UpcastTarget } from './model.js'

/** What became of an event's attributes in a later schema version: `drop`, then `rename`, then `add`. */
export interface UpcastWords {
  /** Old name -> new name. */
  readonly rename?: Readonly<Record<string, string>>
  /** Attributes that older events didn't have, with what to read in them. One that is there stays as it is. */
  readonly add?: Readonly<Record<string, Constant>>
  /** Attributes that mean nothing any more. */
  readonly drop?: readonly string[]
}

/** How events of a schema version are read as the next one's: what changed, or several changes in order. */
export type UpcastInput = UpcastWords | readonly UpcastWords[]

/**
 * What only TypeScript knows: values of columns come as their texts (booleans as such), facts as they are. What it gives is
 * all that the newer event has.
 */
export type UpcastFunction = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

/** Another event as which a stored one is read. */
export interface UpcasterTo<Type extends string = string> extends UpcastWords {
  readonly to: Type
  /** @default the present one */
  readonly version?: number
  /** Code, after `drop`, `rename` and `add`. */
  readonly compute?: UpcastFunction
}

/** An event as an upcaster's function gets it. */
export interface OldEvent {
  readonly type: string
  readonly schemaVersion: number
  readonly data: Readonly<Record<string, unknown>>
}

/** How a stored event is read as another, or (a list) as several; functions are known to TypeScript alone. */
export type UpcasterInput<Type extends string = string> =
  | UpcasterTo<Type>
  | readonly UpcasterTo<Type>[]
  | ((event: OldEvent) => UpcasterGives<Type> | readonly UpcasterGives<Type>[])

export interface UpcasterGives<Type extends string = string> {
  readonly type: Type
  /** @default the present one */
  readonly version?: number
  readonly data: Readonly<Record<string, unknown>>
}

/** How an aggregate's events say what older ones are read as. */
export interface DeclaredUpcasts {
  readonly type: string
  readonly schemaVersion: number
  readonly from: readonly string[]
  readonly upcast: Readonly<Record<string, UpcastInput>>
}

/** All upcasts of an aggregate as plain data: each stored version that is read as something else. Pure. */
export function upcastsOf(
  events: readonly DeclaredUpcasts[],
  upcasters: Readonly<Record<string, UpcasterInput>>,
): readonly Upcast[] {
  const present = new Map(events.map(({ type, schemaVersion }) => [type, schemaVersion]))
  const found = new Map<string, Upcast>()
  const add = (upcast: Upcast) => found.set(`${upcast.type}@${upcast.schemaVersion}`, Object.freeze(upcast))
  for (const { type, schemaVersion, from, upcast } of events) {
    for (const old of from) {
      for (let version = 1; version <= schemaVersion; version += 1) {
        add({ type: old, schemaVersion: version, into: [{ type, schemaVersion: version, steps: [] }] })
      }
    }
    for (const [version, input] of Object.entries(upcast)) {
      const next = Number(version) + 1
      add({
        type,
        schemaVersion: Number(version),
        into: [{ type, schemaVersion: next, steps: stepsOf(input) }],
      })
    }
  }
  for (const [key, input] of Object.entries(upcasters)) {
    const { type, schemaVersion } = storedVersion(key)
    if (typeof input === 'function') {
      add({ type, schemaVersion, into: input })
      continue
    }
    const into = [input].flat().map(
      ({ to, version, compute, ...words }): UpcastTarget => ({
        type: to,
        schemaVersion: version ?? present.get(to) ?? 1,
        steps: [
          ...stepsOf(words),
          ...(compute === undefined ? [] : [{ op: 'compute', run: compute } as const]),
        ],
      }),
    )
    add({ type, schemaVersion, into })
  }
  return Object.freeze([...found.values()])
}

/** Reads `Started@1`. */
export function storedVersion(key: string): StoredVersion {
  const at = key.lastIndexOf('@')
  return { type: key.slice(0, at), schemaVersion: Number(key.slice(at + 1)) }
}

function stepsOf(input: UpcastInput): readonly UpcastStep[] {
  return [input]
    .flat()
    .flatMap(({ drop = [], rename = {}, add = {} }: UpcastWords): readonly UpcastStep[] => [
      ...drop.map((attribute) => ({ op: 'drop', attribute }) as const),
      ...Object.entries(rename).map(([from, to]) => ({ op: 'rename', from, to }) as const),
      ...Object.entries(add).map(([attribute, value]) => ({ op: 'add', attribute, value }) as const),
    ])
}
