/**
 * The top-level members of an object in jsonb's text output: name -> raw fragment, in order.
 *
 * A scanner and not a parser: the server has already checked the text, only the borders of its members are wanted.
 * Fragments keep every character, so numbers stay exact and an embedded jsonb keeps the very text that PostgreSQL
 * would print for it. (JSON.parse would round numbers, and reorder members whose names look like integers.)
 */
export function members(json: string): Map<string, string> {
  const found = new Map<string, string>()
  let at = skipSpace(json, 1)
  while (json[at] === '"') {
    const nameEnd = endOfString(json, at)
    const name = plainString(json, at, nameEnd)
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1)
    const end = endOfValue(json, start)
    found.set(name, json.slice(start, end))
    const next = skipSpace(json, end)
    if (json[next] !== ',') break
    at = skipSpace(json, next + 1)
  }
  return found
}

/** JSON.parse only where there is an escape to undo. */
function plainString(json: string, start: number, end: number): string {
  const inner = json.slice(start + 1, end - 1)
  return inner.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : inner
}

function skipSpace(json: string, at: number): number {
  let index = at
  while (json.charCodeAt(index) <= 32) index += 1
  return index
}

/** Index after the closing quote of the string that opens at `at`. */
function endOfString(json: string, at: number): number {
  let close = json.indexOf('"', at + 1)
  while (close !== -1 && isEscaped(json, close)) close = json.indexOf('"', close + 1)
  return close === -1 ? json.length : close + 1
}

/** A quote is escaped when an odd number of backslashes stands before it. */
function isEscaped(json: string, quote: number): boolean {
  let index = quote - 1
  while (json[index] === '\\') index -= 1
  return (quote - 1 - index) % 2 === 1
}

function endOfValue(json: string, start: number): number {
  const first = json[start]
  if (first === '"') return endOfString(json, start)
  if (first === '{' || first === '[') return endOfNested(json, start)
  let index = start
  while (index < json.length && !',}]'.includes(json.charAt(index)) && json.charCodeAt(index) > 32) index += 1
  return index
}

function endOfNested(json: string, start: number): number {
  let depth = 0
  let index = start
  while (index < json.length) {
    const char = json[index]
    if (char === '"') {
      index = endOfString(json, index)
      continue
    }
    if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') depth -= 1
    index += 1
    if (depth === 0) break
  }
  return index
}
