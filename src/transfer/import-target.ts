import type { CatalogTable } from '../catalog/index.js'
import { readTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { GateError, shellWord, UsageError } from '../errors/index.js'
import { readEnvironment } from '../migrate/index.js'
import { type EventsName, qualified, raw, sql } from '../sql/index.js'
import { readCapture } from '../store/index.js'
import type { ExportedAggregate } from './export-header.js'

/** An aggregate of an export, and the table here that its rows go to. */
export interface ImportTarget {
  readonly definition: AggregateDefinition
  readonly exported: ExportedAggregate
  readonly table: CatalogTable
}

/**
 * The tables of this database that an export's rows go to.
 *
 * @throws UsageError EW_IMPORT_AGGREGATE, EW_IMPORT_TABLE; GateError EW_IMPORT_PRODUCTION, EW_IMPORT_CAPTURED
 */
export async function importTargets(
  session: Session,
  definitions: readonly AggregateDefinition[],
  exported: readonly ExportedAggregate[],
): Promise<readonly ImportTarget[]> {
  const label = await readEnvironment(session)
  if (label?.toLowerCase().startsWith('prod') === true)
    throw new GateError(
      'EW_IMPORT_PRODUCTION',
      `this database is labelled ${label}: nothing is imported there`,
      {
        next: 'Connect to a staging database.',
        details: { label },
      },
    )
  const targets: ImportTarget[] = []
  for (const aggregate of exported) targets.push(await targetOf(session, definitions, aggregate))
  return targets
}

async function targetOf(
  session: Session,
  definitions: readonly AggregateDefinition[],
  exported: ExportedAggregate,
): Promise<ImportTarget> {
  const { name } = exported
  const definition = definitions.find((one) => one.name === name)
  if (definition === undefined)
    throw new UsageError(
      'EW_IMPORT_AGGREGATE',
      `the export holds ${name}, which the configuration doesn't define`,
      {
        next: 'Import by the configuration of the application that it was exported from.',
        details: { aggregate: name },
      },
    )
  const table = await readTable(session, definition.table.schema, definition.table.name)
  const shown = tableName(definition.table)
  if (table === null)
    throw new UsageError('EW_IMPORT_TABLE', `there is no table ${shown} here`, {
      next: "Run the application's own migrations first: an import fills its tables, and makes none.",
      details: { table: shown },
    })
  refuseOtherColumns(exported, table, shown)
  if ((await readCapture(session, name))?.state === 'on')
    throw new GateError('EW_IMPORT_CAPTURED', `${shown} is captured: each row would get its events twice`, {
      next: `Run \`eventward capture off ${shellWord(shown)}\`.`,
      details: { table: shown },
    })
  return { definition, exported, table }
}

function refuseOtherColumns({ columns }: ExportedAggregate, table: CatalogTable, shown: string): void {
  const here = new Map(
    table.columns.filter(({ generated }) => !generated).map(({ name, type }) => [name, type]),
  )
  const there = new Map(columns.map(({ name, type }) => [name, type]))
  const missing = [...there].filter(([name]) => !here.has(name)).map(([name]) => `${name} is not here`)
  const added = [...here].filter(([name]) => !there.has(name)).map(([name]) => `${name} was not there`)
  const retyped = [...there].flatMap(([name, type]) => {
    const now = here.get(name)
    return now === undefined || now === type ? [] : [`${name} is ${now}, and was ${type}`]
  })
  const differ = [...missing, ...added, ...retyped]
  if (differ.length === 0) return
  throw new UsageError(
    'EW_IMPORT_TABLE',
    `${shown} has other columns than the exported one: ${differ.join(', ')}`,
    {
      next: 'Bring the tables to the migration that the source was at.',
      details: { table: shown, columns: differ },
    },
  )
}

/** @throws GateError EW_IMPORT_NOT_EMPTY: what is there would be mixed with what comes */
export async function refuseFilled(
  session: Session,
  events: EventsName,
  targets: readonly ImportTarget[],
): Promise<void> {
  for (const { table, definition } of targets) {
    const found = await session.one<Record<'rows' | 'events' | 'definitions', string>>(sql`
      select exists (select from ${raw(qualified(table.schema, table.name))}) as rows,
        exists (
          select from ${raw(qualified(events.schema, events.table))}
          where aggregate_type = ${definition.name}::text) as events,
        exists (
          select from eventward.aggregates
          where aggregate_type = ${definition.name}::text) as definitions`)
    const shown = tableName(definition.table)
    const what =
      found.rows === 't'
        ? `${shown} has rows`
        : found.events === 't'
          ? `${shown} has events`
          : found.definitions === 't'
            ? `a definition of ${shown} is installed`
            : null
    if (what === null) continue
    throw new GateError('EW_IMPORT_NOT_EMPTY', `${what}: an import needs tables that nothing was done with`, {
      next: 'Make a new database, with the tables of the application and `eventward migrate up`.',
      details: { table: shown },
    })
  }
}

/**
 * Refuses what would write something else than was exported, or beside it: enabled triggers and rules of the tables. They
 * can't be passed over without a superuser's `session_replication_role`, which skips foreign keys as well.
 *
 * @throws GateError EW_IMPORT_TRIGGERS
 */
export async function refuseTriggers(session: Session, targets: readonly ImportTarget[]): Promise<void> {
  const found = await session.rows<{ name: string }>(sql`
    with tables as (
      select o.oid from unnest(${targets.map(({ table }) => table.oid)}::oid[]) o (oid)
      union
      select t.relid from unnest(${targets.map(({ table }) => table.oid)}::oid[]) o (oid), pg_partition_tree(o.oid) t
    )
    select format('%s on %s', t.tgname, t.tgrelid::regclass) as name
    from pg_trigger t
    where t.tgrelid in (select oid from tables)
      and not t.tgisinternal
      and t.tgenabled in ('O', 'A')
      -- Of INSERT or UPDATE.
      and t.tgtype & 20 <> 0
    union
    select format('rule %s on %s', r.rulename, r.ev_class::regclass)
    from pg_rewrite r
    where r.ev_class in (select oid from tables)
      and r.ev_type in ('2', '3')
      and r.ev_enabled in ('O', 'A')
    order by 1`)
  if (found.length === 0) return
  const names = found.map(({ name }) => name)
  throw new GateError('EW_IMPORT_TRIGGERS', `${names.join(', ')}: would change what is imported`, {
    next: 'Disable them here for the import (`alter table ... disable trigger user`), or write --allow-triggers.',
    details: { triggers: names },
  })
}
