/** A captured, backfilled and verified table of subscriptions: all that the gate wants. */
import { backfill } from '../../src/backfill/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { verify } from '../../src/verify/index.js'
import type { TestDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

/** Makes the table with so many rows, from id 1, and captures, backfills and verifies it. */
export async function provenSubscriptions(
  db: TestDatabase,
  rows = 30,
  definition: AggregateDefinition = Subscription,
): Promise<void> {
  await db.admin.query(createSubscriptions + manySubscriptions(1, rows))
  await installCapture(db.database, definition)
  await prove(db, definition)
}

/** Backfills and verifies a captured table. */
export async function prove(db: TestDatabase, definition: AggregateDefinition): Promise<void> {
  await backfill(db.database, definition)
  // TEMP until stored by backfill and verify
  await db.admin.query(`update eventward.runs r set params = r.params || jsonb_build_object('capture', c.epoch::text)
    from eventward.captures c where c.aggregate_type = r.aggregate_type and r.command = 'backfill'`)
  const { snapshot, horizon } = await mark(db)
  const { table } = await verify(db.database, definition)
  await db.admin.query(
    `update eventward.captures set verified_run = $1, verified_fingerprint = eventward.fingerprint(relid),
       verified_at = clock_timestamp(), verified_snapshot = $2, verified_horizon = $3, verified_hash = definition_hash
     where aggregate_type = $4 and verified_run is distinct from $1`,
    [table.run, snapshot, horizon, definition.name],
  )
}

async function mark(db: TestDatabase) {
  const { rows } = await db.admin.query<{ snapshot: string; horizon: string }>(
    `select pg_current_snapshot() as snapshot, coalesce(max(position), 0) as horizon from public.events`,
  )
  return rows[0]!
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
export async function forget(db: TestDatabase): Promise<void> {
  await db.admin.query(`
    drop table if exists public.subscriptions cascade;
    drop type if exists public.subscription_status cascade;
    drop table if exists public.events_subscription;
    truncate eventward.runs, eventward.chunks, eventward.aggregates, eventward.definitions, eventward.mismatches,
      eventward.captures, eventward.incomplete restart identity`)
}
