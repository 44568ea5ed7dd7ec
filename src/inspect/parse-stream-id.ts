import { type Session, sqlstateOf } from '../db/index.js'
import type { BoundModel } from '../definition/index.js'
import { keyOfStream, streamId } from '../encode/index.js'
import { UsageError } from '../errors/index.js'
import { raw, sql, textSql } from '../sql/index.js'

/**
 * The id of the stream that someone means: the key as its column's text (`007` is 7 where the key is a number); for a
 * key of several columns a JSON array of texts, or the texts with commas between.
 *
 * @throws UsageError EW_KEY_INVALID
 */
export async function parseStreamId(session: Session, model: BoundModel, given: string): Promise<string> {
  const parts = partsOf(given, model.key.length)
  if (parts === null)
    throw invalid(model, given, `it takes ${model.key.length} values (${model.key.join(', ')})`)
  const texts: string[] = []
  for (const [index, name] of model.key.entries()) {
    const column = model.columns.find((candidate) => candidate.name === name)!
    const cast = sql`${parts[index] ?? ''}::text::${raw(column.castType)}`
    try {
      // The cast stands in a subquery, since textSql may name its argument more than once.
      const { text } = await session.one<{ text: string }>(
        sql`select ${raw(textSql(column, 'k.value'))} as text from (select ${cast} as value) k`,
      )
      texts.push(text)
    } catch (cause) {
      if (!sqlstateOf(cause)?.startsWith('22')) throw cause
      throw invalid(model, given, `${JSON.stringify(parts[index])} is no ${column.declaredType}`, cause)
    }
  }
  return streamId(texts)
}

function partsOf(given: string, length: number): readonly string[] | null {
  if (length === 1) return [given]
  const written = keyOfStream(given, length)
  if (written !== null) return written
  const parts = given.split(',')
  return parts.length === length ? parts : null
}

function invalid(model: BoundModel, given: string, why: string, cause?: unknown): UsageError {
  const form = model.key.length === 1 ? 'as its text' : `as '["1","2"]' or 1,2`
  return new UsageError('EW_KEY_INVALID', `${JSON.stringify(given)} is no key of ${model.name}: ${why}`, {
    next: `Give the key (${model.key.join(', ')}) ${form}.`,
    details: { aggregate: model.name, key: model.key },
    cause,
  })
}
