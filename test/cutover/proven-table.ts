/** A captured, backfilled and verified table of subscriptions: all that the gate wants. */
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import type { TestDatabase } from '../support/database.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** Makes the table with so many rows, from id 1, and captures, backfills and verifies it. */
export async function provenSubscriptions(
  db: Pick<TestDatabase, 'database' | 'admin'>,
  rows = 30,
  definition: AggregateDefinition = Subscription,
): Promise<void> {
  await db.admin.query(createSubscriptions + manySubscriptions(1, rows))
  await captureOn(db.database, definition)
  const { table } = await prove(db, definition)
  if (table.proof !== true) throw new Error(`verify is no proof: ${JSON.stringify(table)}`)
}

/** Backfills and verifies a captured table. */
export async function prove({ database }: Pick<TestDatabase, 'database'>, definition: AggregateDefinition) {
  await backfill(database, definition)
  return verify(database, definition)
}

/** The phase as the bookkeeping, the triggers and the phase function have it: three times the same, or a text that says what. */
export async function phaseOf(db: TestDatabase, aggregateType = 'Subscription'): Promise<string> {
  const { rows } = await db.admin.query<{ kept: string; slug: string; triggers: string; problems: string }>(
    `select c.phase as kept, c.slug, (
         select string_agg(distinct split_part(encode(t.tgargs, 'escape'), '\\000', 1), ',')
         from pg_trigger t
         where t.tgrelid = c.relid and t.tgname like '_eventward%'
       ) as triggers,
       (select string_agg(p.problem, ',') from eventward.capture_problems(c.aggregate_type) p) as problems
     from eventward.captures c where c.aggregate_type = $1`,
    [aggregateType],
  )
  const { kept, slug, triggers, problems } = rows[0]!
  const { rows: said } = await db.admin.query<{ phase: string }>(
    `select eventward."phase_${slug}"() as phase`,
  )
  const all = [...new Set([kept, triggers, said[0]!.phase])]
  return problems === null ? all.join(' / ') : `${all.join(' / ')} with ${problems}`
}

/** Takes the table, its capture and all that is kept about it away. */
export async function forget(db: Pick<TestDatabase, 'admin'>): Promise<void> {
  await db.admin.query(`
    drop table if exists public.subscriptions cascade;
    drop type if exists public.subscription_status cascade;
    drop table if exists public.events_subscription;
    truncate eventward.runs, eventward.chunks, eventward.aggregates, eventward.definitions, eventward.mismatches,
      eventward.captures, eventward.incomplete restart identity`)
}
