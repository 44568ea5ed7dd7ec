/** Writes values as TypeScript: strings, property names, lists that break where they grow long. Pure. */

/** Longer lines are broken. */
const WIDTH = 100

/** A string literal, in single quotes; whatever the text holds. */
export function stringLiteral(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}

/**
 * A property name of an object literal. `__proto__` is computed: written plainly it would set the prototype.
 */
export function propertyName(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return isIdentifierName(name) ? name : stringLiteral(name)
}

/** A member of an object by name: `tables.rental`, `tables['app.orders']`. */
export function memberAccess(object: string, name: string): string {
  return isIdentifierName(name) ? `${object}.${name}` : `${object}[${stringLiteral(name)}]`
}

/** A name in a line comment: on one line, whatever it holds. */
export function commentText(text: string): string {
  return /^[\p{L}\p{N}_ .,:;()'/`-]+$/u.test(text) ? text : JSON.stringify(text).slice(1, -1)
}

/** `[a, b]` on one line where it fits behind `prefix`, else a member a line. Members are source text. */
export function listSource(members: readonly string[], indent: string, prefix: string): string {
  return bracketed(['[', ']'], members, { indent, prefix })
}

/** `{ a: 1, b }` on one line where it fits behind `prefix`, else a member a line. Members are source text. */
export function objectSource(members: readonly string[], indent: string, prefix: string): string {
  return bracketed(['{ ', ' }'], members, { indent, prefix })
}

function bracketed(
  [open, close]: readonly [string, string],
  members: readonly string[],
  { indent, prefix }: { readonly indent: string; readonly prefix: string },
): string {
  if (members.length === 0) return `${open.trim()}${close.trim()}`
  const line = `${open}${members.join(', ')}${close}`
  const fits =
    indent.length + prefix.length + line.length < WIDTH && !members.some((part) => part.includes('\n'))
  if (fits) return line
  const lines = members.map((member) => `${indent}  ${member},\n`).join('')
  return `${open.trim()}\n${lines}${indent}${close.trim()}`
}

function isIdentifierName(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && name !== '__proto__'
}
