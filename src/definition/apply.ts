import type { ApplyFunction, ByHand } from './model.js'

/**
 * What an event does, in code: the columns that it changes, or the whole next row. It gets the row as the event's own
 * `data` and `set` leave it. Pure and lasting: no clock, nothing but its arguments, since it's run again for as long as
 * the event is stored.
 */
export type ApplyInput = ((state: never, event: never) => object) | ApplyVersion<never, never, object>

/**
 * The same with a name for what it means. A function alone is known by its source text: what it calls is not seen, and a
 * bundler that renames within it makes it another one. One that is named is changed where its name is.
 */
export interface ApplyVersion<State, Event, Changes> {
  readonly version: string
  readonly fold: (state: State, event: Event) => Changes
}

/** Gives the function and what it is known by: its version, or its source without comments and space. Pure. */
export function byHand(input: ApplyInput): ByHand {
  // Rows and events are what the compiler said they are: see `ApplyState` and `ApplyEventOf`.
  const named = typeof input === 'function' ? null : input
  const run = (named?.fold ?? input) as unknown as ApplyFunction
  return Object.freeze({
    run,
    known: named === null ? `source:${normalised(String(run))}` : `version:${named.version}`,
  })
}

/** Text in quotes stays; comments, white space, semicolons and commas before a bracket go: compilers differ in them. */
function normalised(source: string): string {
  return source
    .replace(TOKENS, (token) => {
      if (token.startsWith('/')) return ' '
      return /^\s/.test(token) ? ' ' : quoted(token)
    })
    .replace(/ ?([^\p{L}\p{N}_$'"`\\ ]) ?/gu, '$1')
    .replace(/;(?=[})]|$)/g, '')
    .replace(/,(?=[)}\]])/g, '')
    .replace(/^(async )?\(([\p{L}\p{N}_$]+)\)=>/u, '$1$2=>')
    .replaceAll(';', '')
    .trim()
}

const TOKENS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|\s+/g

/** A string is the same in either quotes, where it holds none. */
function quoted(token: string): string {
  const inner = token.slice(1, -1)
  return token.startsWith("'") && !/["'\\]/.test(inner) ? `"${inner}"` : token
}
