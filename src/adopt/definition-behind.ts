import { shellWord, UsageError } from '../errors/index.js'
import { movesText, type RowMove } from '../store/index.js'

/**
 * What is said where a definition doesn't fit the table any more because columns moved: the error itself where none did,
 * or where it's about something else. Pure.
 */
export function definitionBehind(table: string, moves: readonly RowMove[], error: unknown): unknown {
  const gone = moves.filter(({ kind }) => kind === 'renamed' || kind === 'dropped')
  if (!(error instanceof UsageError) || gone.length === 0 || !BEHIND.has(error.code)) return error
  const [renamed] = gone.filter(({ kind }) => kind === 'renamed')
  const example =
    renamed === undefined
      ? 'Take what was dropped out of its events'
      : `Where an event carries it, keep the attribute's name: data: { ${renamed.before}: '${renamed.after}' }`
  return new UsageError(
    'EW_ADOPT_DEFINITION',
    `${table}: ${movesText(gone)}; the definition speaks of the columns as they were (${error.message})`,
    {
      next: `Run \`eventward generate\` and change the definition. ${example}. Then run \`eventward adopt ${shellWord(table)}\` again.`,
      details: { table, columns: gone.map(({ column }) => column) },
      cause: error,
    },
  )
}

const BEHIND: ReadonlySet<string> = new Set([
  'EW_COLUMN_UNKNOWN',
  'EW_KEY_MOVED',
  'EW_KEY_MISSING',
  'EW_UPDATED_AT',
  'EW_OCCURRED_AT',
  'EW_DEFINITION_CHANGED',
])
