import { bindAggregate } from '../../src/bind/index.js'
import type { Database } from '../../src/db/index.js'
import type { AggregateDefinition, BoundModel } from '../../src/definition/index.js'
import { captureNames, compileCapture, qualified, raw, sql, typedKey } from '../../src/sql/index.js'
import { ensurePartition, registerDefinition, requireEventsTable } from '../../src/store/index.js'

/** Puts the triggers on a table, and nothing else: what `captureOn` does when nobody is in its way. */
export async function installCapture(
  database: Database,
  definition: AggregateDefinition,
): Promise<BoundModel> {
  return database.session(async (session) => {
    const events = await requireEventsTable(session)
    const { model, table } = await bindAggregate(session, definition)
    await registerDefinition(session, model, events)
    const partition = await ensurePartition(session, events, model.name, model.table)
    const names = captureNames(model.name)
    await session.transaction({}, async () => {
      const name = raw(qualified(model.schema, model.table))
      await session.execute(sql`lock table ${name} in share row exclusive mode`)
      const { natts, schema, leaf } = await session.one<Record<'natts' | 'schema' | 'leaf', string>>(sql`
        select c.relnatts as natts, n.nspname as schema, p.relname as leaf
        from pg_class c, pg_class p
        join pg_namespace n on n.oid = p.relnamespace
        where c.oid = ${table.oid}::oid and p.oid = ${partition}::regclass`)
      const statements = compileCapture({
        model,
        names,
        partition: { schema, table: leaf },
        key: typedKey(model, table.key?.columns ?? []),
        relid: table.oid,
        partitioned: table.kind === 'partitioned',
        natts: Number(natts),
        definition: model.hash.slice(0, 12),
        shape: 'test',
        writer: 'eventward/test',
      })
      for (const text of statements) await session.execute({ text, values: [] })
      await session.execute(sql`
        insert into eventward.captures (aggregate_type, table_schema, table_name, relid, slug, state, epoch,
          definition_hash, row_shape, partition, since, phase_since)
        values (${model.name}::text, ${model.schema}::text, ${model.table}::text, ${table.oid}::oid, ${names.slug}::text,
          'on', 1, ${model.hash}::text, 'test', ${partition}::regclass, clock_timestamp(), clock_timestamp())
        on conflict (aggregate_type) do update set state = 'on', epoch = captures.epoch + 1, definition_hash = excluded.definition_hash`)
      await session.execute(sql`select eventward.install_triggers(${model.name}::text, 'dual_write')`)
    })
    return model
  })
}
