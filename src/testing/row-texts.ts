import { type Constant, checkConstant, type Row, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { Meaning } from '../runtime/index.js'
import { describedTexts } from './canonical-text.js'

/**
 * The canonical texts of a whole row; generated columns are passed over.
 *
 * @throws UsageError EW_CONSTANT for what is no value of its column, EW_TESTING_ROW where a column is missing or unknown.
 */
export function rowTexts(meaning: Meaning, row: object | null): Row | null {
  if (row === null) return null
  const { model, table } = meaning
  const given = new Map<string, unknown>(Object.entries(row))
  const stranger = [...given.keys()].find((name) => !table.columns.some((column) => column.name === name))
  if (stranger !== undefined) throw wrongRow(meaning, `there is no column ${JSON.stringify(stranger)}`)
  const texts = model.columns.map(({ name }) => {
    const column = table.columns.find((one) => one.name === name)
    const value = given.get(name)
    if (value === undefined || column === undefined) throw wrongRow(meaning, `${name} is missing`)
    if (typeof value === 'object' && value !== null)
      throw wrongRow(meaning, `${name} is an object, and no text`)
    const where = `${tableName(table)}.${name}`
    const { type, nullable, enumLabels: values, domain, baseTypeName: base } = column
    const described = { type, nullable, ...(values === null ? {} : { values }), ...(domain ? { base } : {}) }
    checkConstant({ name, column: described, value: value as Constant, where })
    return [name, describedTexts([{ column, value: value as Constant, where }])[0] ?? null] as const
  })
  return Object.fromEntries(texts)
}

function wrongRow({ table }: Meaning, what: string): UsageError {
  return new UsageError('EW_TESTING_ROW', `this is no row of ${tableName(table)}: ${what}`, {
    next: 'Give every column of the table; generated ones may be left out.',
  })
}
