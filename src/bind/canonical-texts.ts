import type { CatalogColumn } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import type { Constant, Text } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { type Query, raw, sql } from '../sql/index.js'
import { builtInType } from './bound-columns.js'
import { isDataError } from './is-data-error.js'

/** A value of a column for which the canonical text is asked; `where` is for messages. */
export interface TextRequest {
  readonly column: CatalogColumn
  readonly value: Constant
  readonly where: string
}

/**
 * Has the server write values in the canonical text of their columns, all in one statement, in the order asked.
 * With a time zone, has it tell whether it knows that one.
 *
 * @throws UsageError EW_CONSTANT where a value is not one of its column or would be changed by it (a text cut to
 *   varchar(3), a fraction rounded by numeric(10,2)); EW_TIME_ZONE.
 */
export async function canonicalTexts(
  session: Session,
  requests: readonly TextRequest[],
  timeZone: string | null = null,
): Promise<readonly Text[]> {
  const asked = requests.map((request) => ({
    ...request,
    text: request.value === null ? null : String(request.value),
  }))
  const present = asked.filter((request): request is Asked => request.text !== null)
  if (timeZone !== null) await checkZone(session, timeZone)
  const answers = present.length === 0 ? [] : await ask(session, present)
  const texts = new Map(present.map((request, index) => [request as unknown, answers[index] ?? null]))
  return asked.map((request) => texts.get(request) ?? null)
}

type Asked = TextRequest & { readonly text: string }
type Answer = { readonly canonical: string; readonly kept: string }

async function ask(session: Session, requests: readonly Asked[]): Promise<readonly string[]> {
  const rows = await session.rows<Answer>(textsQuery(requests)).catch(async (error: unknown) => {
    if (!isDataError(error)) throw error
    throw await guilty(session, requests, error)
  })
  return rows.map((row, index) => {
    const request = requests[index]
    if (request !== undefined && row.kept !== 't') {
      throw refusal(request, `would be stored as ${JSON.stringify(row.canonical)}`)
    }
    return row.canonical
  })
}

/** One bad value fails the whole statement without a name: they are asked again, one by one. */
async function guilty(session: Session, requests: readonly Asked[], cause: unknown): Promise<UsageError> {
  for (const request of requests) {
    try {
      await session.rows(textsQuery([request]))
    } catch (error) {
      if (isDataError(error)) return refusal(request, `is no ${request.column.type}`, error)
    }
  }
  const [first] = requests
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new UsageError('EW_CONSTANT', `${first?.where ?? 'a constant'}: ${reason}`, { cause })
}

function refusal({ where, text, column }: Asked, what: string, cause?: unknown): UsageError {
  return new UsageError('EW_CONSTANT', `${where}: ${JSON.stringify(text)} ${what}`, {
    next: `Write a value that ${column.type} holds as it is.`,
    details: { column: column.name, type: column.type, value: text },
    cause,
  })
}

function textsQuery(requests: readonly Asked[]): Query {
  const selects = requests.map(
    (request, place) => sql`
      select ${raw(String(place))} as place,
        format('%s', ${request.text}::text::${raw(request.column.type)}) as canonical,
        ${kept(request)} as kept`,
  )
  const union = selects.reduce(
    (all, select) => sql`${all}
      union all${select}`,
  )
  return sql`${union}
      order by place`
}

/**
 * Whether the column holds the value as it was written. A cast cuts a text to varchar(n), name and "char" without a
 * word, and rounds numbers and times to their modifiers; `1` to `1.00` and padding in char(n) are no changes.
 */
function kept({ column, text }: Asked): Query {
  const type = builtInType(column)
  const stored = sql`${text}::text::${raw(column.type)}::${raw(column.castType)}`
  if (VERBATIM.has(type)) return sql`format('%s', ${stored}) = ${text}::text`
  const element = type.replace(/^_/, '')
  if (MODIFIED.has(element)) {
    return sql`(${stored}) operator(pg_catalog.=) (${text}::text::${raw(column.castType)})`
  }
  return sql`true`
}

const VERBATIM: ReadonlySet<string> = new Set(['text', 'varchar', 'name', 'char'])
const MODIFIED: ReadonlySet<string> = new Set(
  'numeric bpchar varchar bit varbit time timetz timestamp timestamptz interval'.split(' '),
)

async function checkZone(session: Session, timeZone: string): Promise<void> {
  try {
    await session.rows(sql`select timestamp '2000-01-01' at time zone ${timeZone}::text as known`)
  } catch (error) {
    if (!isDataError(error)) throw error
    throw new UsageError('EW_TIME_ZONE', `the server knows no time zone ${JSON.stringify(timeZone)}`, {
      next: "Set the aggregate's timeZone to a name of pg_timezone_names, such as 'Europe/Berlin'.",
      details: { timeZone },
      cause: error,
    })
  }
}
