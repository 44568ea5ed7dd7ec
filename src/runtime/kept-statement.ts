import { ident, literalOrNull, type Query, type QueryValue } from '../sql/index.js'

/** A statement whose text is built once, and whose plan is worth keeping on a connection. */
export interface KeptStatement extends Query {
  readonly form: Form
}

/** The text of statements that differ in their values alone. Itself it is what they are known by. */
interface Form {
  readonly text: string
}

const forms = new WeakMap<object, Map<string, Form>>()

/**
 * A statement that is run again and again: building and planning it takes as long as running it. On a connection that
 * allows it, it's PREPAREd once, and EXECUTEd in the round trip of its neighbours.
 *
 * @param owner what the text is built of: another one where the types of what it gives may be others, for a plan must not
 * change those.
 * @param name tells it from the owner's other statements.
 * @param values of its parameters, in the order in which `build` has them.
 */
export function kept(
  owner: object,
  name: string,
  values: readonly QueryValue[],
  build: () => Query,
): KeptStatement {
  const known = forms.get(owner) ?? new Map<string, Form>()
  forms.set(owner, known)
  let form = known.get(name)
  if (form === undefined) {
    const built = build()
    if (built.values.length !== values.length || built.values.some((value, at) => value !== values[at])) {
      throw new RangeError(`${name}: its values are not those of its text`)
    }
    form = { text: built.text }
    known.set(name, form)
  }
  return { text: form.text, values, form }
}

/** What is prepared on a connection. */
interface Known {
  readonly names: Map<Form, string>
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
  const state = known.get(client) ?? { names: new Map<Form, string>(), generation: 0 }
  known.set(client, state)
  let added = false
  return {
    texts({ form, values }) {
      const given = values.map((value) => literalOrNull(typeof value === 'string' ? value : null))
      const execute = (name: string) => `execute ${name}${given.length === 0 ? '' : `(${given.join(', ')})`}`
      const found = state.names.get(form)
      if (found !== undefined) return [execute(found)]
      const name = ident(`eventward_${state.generation}_${state.names.size}`)
      state.names.set(form, name)
      added = true
      return [`prepare ${name} as ${form.text}`, execute(name)]
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
