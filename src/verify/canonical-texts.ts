import type { Session } from '../db/index.js'
import { type ColumnText, compileCanonicalTexts } from '../sql/index.js'
import { dataError } from './data-error.js'

/** A value's canonical text, or why it is none: the server's words. */
export type Canonical = { readonly text: string } | { readonly message: string }

/** One statement's worth: PostgreSQL takes 65,535 parameters, and planning them costs more than the round trip. */
const BATCH = 200

/** Has the server write texts canonically. Outside a transaction: a text that is no value would end it. */
export async function canonicalTexts(
  session: Session,
  values: readonly ColumnText[],
): Promise<readonly Canonical[]> {
  const all: Canonical[] = []
  for (let at = 0; at < values.length; at += BATCH) {
    all.push(...(await ask(session, values.slice(at, at + BATCH))))
  }
  return all
}

/** Halved until the value that can't be read stands alone. */
async function ask(session: Session, values: readonly ColumnText[]): Promise<readonly Canonical[]> {
  try {
    const { canonical } = await session.one<{ canonical: string }>(compileCanonicalTexts(values))
    return (JSON.parse(canonical) as readonly string[]).map((text) => ({ text }))
  } catch (error) {
    const message = dataError(
      error,
      values.map(({ column }) => column),
    )
    if (message === undefined) throw error
    if (values.length === 1) return [{ message }]
    const middle = values.length >> 1
    return [...(await ask(session, values.slice(0, middle))), ...(await ask(session, values.slice(middle)))]
  }
}
