import type { Session } from '../db/index.js'
import type { Row } from '../definition/index.js'
import { foldStream, lastSetters, type StoredEvent } from '../fold/index.js'
import type { ColumnText } from '../sql/index.js'
import { canonicalTexts } from './canonical-texts.js'
import { dataError } from './data-error.js'
import { inSnapshot, type VerifiedTable } from './in-snapshot.js'
import { problemOf, readPair } from './read-pair.js'
import type { Found } from './stream-check.js'
import type { Difference, DifferingColumn, SetBy, VerifyEngine } from './verify-result.js'

export interface DescribeInput {
  readonly source: VerifiedTable
  readonly engine: VerifyEngine
  readonly table: string
  /** Names without values. */
  readonly keysOnly: boolean
}

/** Looks again at what differs: column by column, with the event that last set each. */
export async function describeDifference(
  session: Session,
  input: DescribeInput,
  found: Found,
): Promise<Difference> {
  const stream = await readStream(session, input, found.key)
  if ('message' in stream) return difference(input, { ...found, kind: 'unreadable', message: stream.message })
  const columns = await differing(session, input, stream)
  const bad = columns.find(({ message }) => message !== undefined)
  const kind = bad !== undefined && found.kind === 'row_differs' ? 'unreadable' : found.kind
  const message =
    bad === undefined
      ? (found.message ?? problemOf(input.source, stream.events)?.message)
      : `${bad.column}: ${bad.message}`
  return difference(input, { key: found.key, kind, ...(message === undefined ? {} : { message }) }, columns)
}

/** Values may be someone's, and the server's words repeat them: on demand only names are told. */
function difference(
  { table, keysOnly }: DescribeInput,
  { key, kind, message }: Found,
  described: readonly Described[] = [],
): Difference {
  const columns = described.map(({ message: _, ...column }) =>
    keysOnly ? { column: column.column, setBy: column.setBy } : column,
  )
  const said = message === undefined || (keysOnly && kind === 'unreadable') ? {} : { message }
  return { table, key, kind, columns, ...said }
}

interface Stream {
  readonly row: Row | null
  readonly folded: Row | null
  readonly events: readonly StoredEvent[]
}

async function readStream(
  session: Session,
  input: DescribeInput,
  id: string,
): Promise<Stream | { readonly message: string }> {
  try {
    return await readWhole(session, input, id)
  } catch (error) {
    const message = dataError(error, input.source.model.columns)
    if (message === undefined) throw error
    return { message }
  }
}

async function readWhole(session: Session, { source, engine }: DescribeInput, id: string): Promise<Stream> {
  const { row, events, foldedBySql } = await inSnapshot(session, source, () => readPair(session, source, id))
  const folded =
    engine === 'replay' ? foldStream(source.model, events).row : withKey(source, row, foldedBySql)
  return { row, folded, events }
}

/** The set-based fold names key columns only where an event carried them: otherwise they are the row's, found by them. */
function withKey({ model }: VerifiedTable, row: Row | null, folded: Row | null): Row | null {
  if (folded === null || row === null) return folded
  return { ...Object.fromEntries(model.key.map((name) => [name, row[name] ?? null])), ...folded }
}

type Described = DifferingColumn & { readonly message?: string }

async function differing(
  session: Session,
  { source }: DescribeInput,
  { row, folded, events }: Stream,
): Promise<readonly Described[]> {
  if (row === null || folded === null) return []
  const suspects = source.model.columns.filter(({ name }) => (folded[name] ?? null) !== (row[name] ?? null))
  const asked = suspects.flatMap((column): readonly ColumnText[] => {
    const text = folded[column.name] ?? null
    return text === null ? [] : [{ column, text }]
  })
  const answers = await canonicalTexts(session, asked)
  const canonical = new Map(asked.map(({ column }, index) => [column.name, answers[index]]))
  const setters = lastSetters(source.model, events)
  return suspects.flatMap(({ name }): readonly Described[] => {
    const text = folded[name] ?? null
    const answer = canonical.get(name)
    const given = answer !== undefined && 'text' in answer ? answer.text : text
    if (given === row[name]) return []
    const message = answer !== undefined && 'message' in answer ? { message: answer.message } : {}
    return [
      { column: name, row: row[name] ?? null, events: given, setBy: setBy(setters.get(name)), ...message },
    ]
  })
}

function setBy(event: StoredEvent | undefined): SetBy | null {
  if (event === undefined) return null
  const metadata = JSON.parse(event.metadata ?? '{}') as Readonly<Record<string, unknown>>
  const text = (name: string) => (typeof metadata[name] === 'string' ? metadata[name] : null)
  return { version: event.version, type: event.type, writer: text('writer'), source: text('source') }
}
