import { UsageError } from '../errors/index.js'

/**
 * JSON text that jsonb takes: bigints become texts.
 *
 * @throws UsageError EW_JSON for what JSON has no form for, or PostgreSQL can't store.
 */
export function jsonText(value: unknown, where: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'bigint' ? String(member) : member,
    )
  } catch (cause) {
    throw refusal(where, 'has no form in JSON', cause)
  }
  if (text === undefined) throw refusal(where, 'has no form in JSON')
  // JSON.stringify writes NUL and the halves of surrogate pairs as escapes, and nothing else in this form.
  if (/(?<!\\)(\\\\)*\\u(0000|d[89ab]..|d[c-f]..)/.test(text)) {
    throw refusal(where, 'has a character that PostgreSQL can not store')
  }
  return text
}

function refusal(where: string, what: string, cause?: unknown): UsageError {
  return new UsageError('EW_JSON', `${where} ${what}`, {
    next: 'Give plain data: texts, numbers, booleans, null, lists and objects of these.',
    cause,
  })
}
