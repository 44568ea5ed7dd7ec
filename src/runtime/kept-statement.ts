import { ident, literalOrNull, type Query } from '../sql/index.js'

/** A statement whose plan is worth keeping on a connection. */
export interface KeptStatement extends Query {
  readonly keep: string
}

/**
 * Marks a statement that is run again and again: planning it takes as long as running it. On a connection that allows it,
 * it's PREPAREd once, and EXECUTEd in the round trip of its neighbours.
 *
 * @param shape another text where the types of what it gives may be others: a plan must not change those.
 */
export function kept(query: Query, shape: string): KeptStatement {
  return { ...query, keep: shape }
}

/** What is prepared on a connection. */
interface Known {
  /** By what they are kept for, and their text. */
  readonly names: Map<string, string>
  /** In the names: after a failure nobody knows which of the last ones are there. */
  generation: number
}

/** By the driver's client. */
const known = new WeakMap<object, Known>()

/** On one connection: of texts that vary (which columns an update sets) there may be many. */
const MOST = 500

/** How kept statements are sent on a connection. */
export interface Sender {
  /** The texts to send for a statement: the last one gives its answer. */
  texts(statement: KeptStatement): readonly string[]
  /** The round trip failed. */
  failed(): void
}

export function senderOn(client: object): Sender {
  const state = known.get(client) ?? { names: new Map<string, string>(), generation: 0 }
  known.set(client, state)
  let added = false
  return {
    texts({ text, values, keep }) {
      const given = values.map((value) => literalOrNull(typeof value === 'string' ? value : null))
      const execute = (name: string) => `execute ${name}${given.length === 0 ? '' : `(${given.join(', ')})`}`
      const whole = `${keep}\0${text}`
      const found = state.names.get(whole)
      if (found !== undefined) return [execute(found)]
      const name = ident(`eventward_${state.generation}_${state.names.size}`)
      state.names.set(whole, name)
      added = true
      return [`prepare ${name} as ${text}`, execute(name)]
    },
    failed() {
      if (!added) return
      state.names.clear()
      state.generation += 1
    },
  }
}

export function mayKeep(client: object, { values }: Query): boolean {
  const size = known.get(client)?.names.size ?? 0
  return size < MOST && values.every((value) => typeof value === 'string' || value === null)
}

/** Configurations of knex whose connections forget what is prepared on them: a pooler shares them, or the application does. */
const forgetful = new WeakSet<object>()

/** Whether a connection of this knex keeps what is prepared on it, as far as is known. */
export function keepsStatements({ client }: { readonly client: { readonly config: object } }): boolean {
  return !forgetful.has(client.config)
}

/** A statement was gone, or another one's was there: none is prepared any more. */
export function stopKeeping({ client }: { readonly client: { readonly config: object } }): void {
  forgetful.add(client.config)
}
