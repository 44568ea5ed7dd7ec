/** Words of names: how a legacy database spells them, and how events and aggregates do. Pure. */

/** Splits a name into lower-case words: `created_at`, `createdAt`, `CreatedAt` and `CREATED_AT` give the same. */
export function words(name: string): readonly string[] {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
}

/** Joins words as PascalCase; a leading digit, which no identifier may have, gets a `T` before it. '' of no words. */
export function pascalCase(parts: readonly string[]): string {
  const name = parts.map((part) => part.replace(/^./u, (letter) => letter.toUpperCase())).join('')
  return /^\p{N}/u.test(name) ? `T${name}` : name
}

const SINGULARS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    people: 'person',
    men: 'man',
    women: 'woman',
    children: 'child',
    feet: 'foot',
    mice: 'mouse',
    indices: 'index',
    matrices: 'matrix',
    vertices: 'vertex',
    criteria: 'criterion',
    movies: 'movie',
    cookies: 'cookie',
    quizzes: 'quiz',
    caches: 'cache',
    axes: 'axis',
    analyses: 'analysis',
    crises: 'crisis',
    shoes: 'shoe',
    leaves: 'leaf',
    shelves: 'shelf',
  }),
)
const UNCHANGED: ReadonlySet<string> = new Set('news series species lens gas'.split(' '))

/** The singular of an English word, as far as spelling tells: statuses, categories, addresses, purchases. */
export function singular(word: string): string {
  const irregular = SINGULARS.get(word)
  if (irregular !== undefined) return irregular
  if (UNCHANGED.has(word) || /(ss|us|is)$/.test(word)) return word
  if (/[^aeiou]ies$/.test(word) && word.length > 4) return word.replace(/ies$/, 'y')
  if (/(an|en|on|ar|el|th|ys|al)ses$/.test(word)) return word.replace(/s$/, '')
  if (/(ss|sh|ch|x|zz)es$/.test(word)) return word.replace(/es$/, '')
  // statuses, bonuses, viruses, buses; but houses, clauses, causes.
  if (/(^|[^aeo])uses$/.test(word) && !/^uses$/.test(word)) return word.replace(/es$/, '')
  if (/[^aeiou]oes$/.test(word)) return word.replace(/es$/, '')
  return word.length > 1 ? word.replace(/s$/, '') : word
}

/** The name of an aggregate for a table: `film_actor` -> FilmActor, `categories` -> Category. */
export function aggregateName(table: string): string {
  return pascalCase(singularWords(table)) || 'Table'
}

/** The words of a table's name, the last one singular. */
export function singularWords(table: string): readonly string[] {
  const all = words(table)
  return all.map((word, index) => (index === all.length - 1 ? singular(word) : word))
}
