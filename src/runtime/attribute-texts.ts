import { canonicalTexts, type TextRequest } from '../bind/index.js'
import type { CatalogColumn } from '../catalog/index.js'
import { type BoundColumn, type Constant, checkConstant, type Text } from '../definition/index.js'
import { EventwardError } from '../errors/index.js'
import type { CallerConnection } from './caller-connection.js'
import { readingSession } from './caller-session.js'
import type { Meaning } from './command-binding.js'
import { invalid, type Named } from './command-errors.js'

/** A value that is meant for a column. */
export interface Given {
  readonly column: string
  readonly value: unknown
}

/** Gives the canonical texts of values that are not known to be canonical. @throws UsageError EW_CONSTANT */
export type AskTexts = (requests: readonly TextRequest[]) => Promise<readonly Text[]>

/** Has the server write them, through a transaction of the application. */
export function serverTexts(connection: CallerConnection): AskTexts {
  return (requests) => canonicalTexts(readingSession(connection), requests)
}

/**
 * Canonical texts of values, in their order. Those whose text is known to be canonical are not asked about; the server
 * writes the others, all in one statement, so that none is changed on its way into the column without a word.
 *
 * @throws UsageError EW_COMMAND_INVALID where a value is none of its column.
 */
export async function attributeTexts(
  ask: AskTexts,
  binding: Meaning,
  given: readonly Given[],
  named: Named,
): Promise<readonly Text[]> {
  const texts = new Map<number, Text>()
  const asked: { readonly place: number; readonly request: TextRequest }[] = []
  given.forEach(({ column: name, value }, place) => {
    const { bound, catalog } = columnsNamed(binding, name)
    const checked = checkValue(binding, name, value, named)
    const text = knownText(bound, checked)
    if (text === undefined) {
      asked.push({ place, request: { column: catalog, value: checked, where: name } })
    } else {
      texts.set(place, text)
    }
  })
  if (asked.length > 0) {
    const answers = await ask(asked.map(({ request }) => request)).catch((error: unknown) => {
      throw asInvalid(error, named)
    })
    asked.forEach(({ place }, index) => {
      texts.set(place, answers[index] ?? null)
    })
  }
  return given.map((_, place) => texts.get(place) ?? null)
}

/** What a value of any type says as a constant of its column, where its description tells. */
function checkValue({ table }: Meaning, name: string, value: unknown, named: Named): Constant {
  const column = table.columns.find((candidate) => candidate.name === name)
  const known =
    value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
      ? (value as Constant)
      : undefined
  if (known === undefined || column === undefined) {
    throw invalid(named, [
      {
        message: `${typeof value} is no value of a column: give a text, a number or a boolean`,
        path: [name],
      },
    ])
  }
  try {
    const { type, nullable, enumLabels, domain, baseTypeName } = column
    checkConstant({
      name,
      column: {
        type,
        nullable,
        ...(enumLabels === null ? {} : { values: enumLabels }),
        ...(domain ? { base: baseTypeName } : {}),
      },
      value: known,
      where: name,
    })
  } catch (error) {
    throw asInvalid(error, named)
  }
  return known
}

const INTEGERS = new Set(['int2', 'int4', 'int8'].map((type) => `"pg_catalog"."${type}"`))

/** The canonical text, where no server is needed to know it. */
function knownText(column: BoundColumn, value: Constant): Text | undefined {
  if (value === null) return null
  if (INTEGERS.has(column.castType)) return String(BigInt(value))
  if (typeof value === 'boolean') return column.encoding === 'boolean' ? (value ? 't' : 'f') : undefined
  if (column.plainText && /^(text|character varying)$/.test(column.declaredType)) return String(value)
  return undefined
}

function columnsNamed({ model, table }: Meaning, name: string) {
  return {
    // Each name comes from the model's own events and key.
    bound: model.columns.find((column) => column.name === name) as BoundColumn,
    catalog: table.columns.find((column) => column.name === name) as CatalogColumn,
  }
}

function asInvalid(error: unknown, named: Named): unknown {
  if (!(error instanceof EventwardError) || error.code !== 'EW_CONSTANT') return error
  const column = error.details['column']
  return invalid(named, [
    { message: error.message, ...(typeof column === 'string' ? { path: [column] } : {}) },
  ])
}
