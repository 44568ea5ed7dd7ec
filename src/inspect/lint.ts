import type { EventsTable, LoadedConfig } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, type BoundModel, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { readInstalled } from '../migrate/index.js'
import { qualified, raw, sql } from '../sql/index.js'
import { refuseChangedDefinition } from '../store/index.js'
import { bindStored } from './bind-stored.js'
import { lintColumns } from './lint-columns.js'
import type { LintFinding, Said } from './lint-finding.js'
import { lintNames } from './lint-names.js'
import { lintOverlaps } from './lint-overlaps.js'
import { lintVersions, type StoredCount } from './lint-versions.js'
import { selectAggregates } from './select-aggregates.js'

/**
 * Looks at definitions for what a person would wish to know before the next event is stored: names, columns that no event
 * sets, events that can't be told apart, stored versions that no code reads, and a change that nobody may install since
 * stored events would mean something else. Errors first, table by table. Reads each table's events once, to count their
 * versions; READ ONLY.
 */
export function lint(
  database: Database,
  config: LoadedConfig,
  tables: readonly string[] = [],
): Promise<readonly LintFinding[]> {
  const chosen = selectAggregates(config, tables)
  return database.session(async (session) => {
    const findings: LintFinding[] = []
    for (const definition of chosen) {
      const said = await session.transaction({ readOnly: true }, () => lintOne(session, definition))
      const where = { table: tableName(definition.table), aggregate: definition.name }
      findings.push(...said.map((one) => ({ ...where, ...one })))
    }
    return findings.sort((a, b) => RANK[a.level] - RANK[b.level])
  })
}

const RANK = { error: 0, warning: 1 } as const

/** A definition that doesn't fit the table is a finding here, so that the others are looked at as well. */
async function lintOne(session: Session, definition: AggregateDefinition): Promise<readonly Said[]> {
  try {
    const { events } = await readInstalled(session)
    const { model } = await bindStored(session, definition)
    const stored = events === null ? [] : await storedVersions(session, model.name, events)
    return [
      ...(events === null ? [] : await changedMeaning(session, model, events)),
      ...lintVersions(model, stored),
      ...lintNames(definition),
      ...lintOverlaps(model),
      ...lintColumns(model),
    ]
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { code, message, next = 'Correct the definition.' } = error
    return [
      { level: 'error', rule: 'definition', event: null, message: `${code} ${message}`, next },
      ...lintNames(definition),
    ]
  }
}

/** What `capture on`, `backfill` and `registerDefinition` would refuse, in their words. */
async function changedMeaning(
  session: Session,
  model: BoundModel,
  events: EventsTable,
): Promise<readonly Said[]> {
  try {
    await refuseChangedDefinition(session, model, events)
    return []
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { code, message, next = 'Give it back its meaning.', details } = error
    const event = typeof details?.['event'] === 'string' ? details['event'] : null
    return [{ level: 'error', rule: 'definition_changed', event, message: `${code} ${message}`, next }]
  }
}

async function storedVersions(
  session: Session,
  aggregateType: string,
  events: EventsTable,
): Promise<readonly StoredCount[]> {
  const rows = await session.rows<Record<'type' | 'schema_version' | 'events', string>>(sql`
    select type, schema_version, count(*) as events
    from ${raw(qualified(events.schema, events.table))}
    where aggregate_type = ${aggregateType}::text
    group by type, schema_version
    order by type, schema_version`)
  return rows.map((row) => ({
    type: row.type,
    schemaVersion: Number(row.schema_version),
    events: row.events,
  }))
}
