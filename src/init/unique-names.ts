import { pascalCase, words } from './words.js'

/**
 * Gives each table a name of its own: the plain one, else with the schema before it, else with a number behind it.
 * Tables in public choose first, so that a second schema doesn't rename what everybody knows. Pure.
 */
export function uniqueNames<Table extends { readonly schema: string; readonly name: string }>(
  tables: readonly Table[],
  plainName: (table: Table) => string,
): ReadonlyMap<Table, string> {
  const names = new Map<Table, string>()
  const taken = new Set<string>()
  const isPublic = ({ schema }: Table) => schema === 'public'
  for (const table of [...tables.filter(isPublic), ...tables.filter((other) => !isPublic(other))]) {
    const plain = plainName(table)
    const inSchema = `${pascalCase(words(table.schema))}${plain}`
    let name = isPublic(table) || !taken.has(plain) ? plain : inSchema
    for (let number = 2; taken.has(name); number++) name = `${plain}${number}`
    taken.add(name)
    names.set(table, name)
  }
  return names
}
