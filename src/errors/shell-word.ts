/** A name as a shell takes it in a command that a message proposes: quoted where it would be more than one word. */
export function shellWord(name: string): string {
  return /^[\w.,:@%+/-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`
}
