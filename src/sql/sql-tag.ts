import type { Query, QueryValue } from './query.js'

/** A piece of SQL text that is already safe: made by `ident`, `literal`, `raw` or a compiler. */
export class Fragment {
  constructor(
    readonly text: string,
    readonly values: readonly QueryValue[] = [],
  ) {}
}

/** Marks text made by `ident`, `literal` or a compiler as SQL. Never pass it anything that a user wrote. */
export function raw(text: string): Fragment {
  return new Fragment(text)
}

/**
 * Builds a query: a `Fragment` is spliced in, a nested `Query` too (its parameters renumbered), all else becomes `$n`.
 *
 * @example sql`select * from ${raw(qualified('public', 'events'))} where position > ${after}::bigint`
 */
export function sql(
  strings: TemplateStringsArray,
  ...parts: readonly (QueryValue | Fragment | Query)[]
): Query {
  const values: QueryValue[] = []
  let text = strings[0] ?? ''
  parts.forEach((part, index) => {
    if (part instanceof Fragment || isQuery(part)) {
      const offset = values.length
      text += offset === 0 ? part.text : renumber(part.text, offset)
      values.push(...part.values)
    } else {
      values.push(part)
      text += `$${values.length}`
    }
    text += strings[index + 1] ?? ''
  })
  return { text, values }
}

function isQuery(part: QueryValue | Query): part is Query {
  return typeof part === 'object' && part !== null && 'text' in part && 'values' in part
}

/** Shifts `$n` by offset, leaving quoted identifiers and literals alone. */
function renumber(text: string, offset: number): string {
  return text.replace(
    /"(?:[^"]|"")*"|E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\d+)/gs,
    (token, digits?: string) => (digits === undefined ? token : `$${BigInt(digits) + BigInt(offset)}`),
  )
}
