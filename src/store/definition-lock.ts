import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'

/** First half of our advisory locks' keys: 'EWdf' in ASCII. */
const SPACE = 0x45_57_64_66

/**
 * Holds the definition of an aggregate until the transaction ends: `shared` by whoever writes its events, `exclusive`
 * by whoever changes what they mean, opens its run or archives its partition. An advisory lock: it touches no table.
 * Takes no snapshot that outlives it: look at what it guards in a statement of its own.
 */
export async function lockDefinition(
  session: Session,
  aggregateType: string,
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const name = aggregateType
  await session.execute(
    mode === 'shared'
      ? sql`select pg_advisory_xact_lock_shared(${String(SPACE)}::integer, hashtext(${name}::text))`
      : sql`select pg_advisory_xact_lock(${String(SPACE)}::integer, hashtext(${name}::text))`,
  )
}
