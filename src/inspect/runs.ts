import type { LoadedConfig } from '../config/index.js'
import type { Database } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { type Query, sql } from '../sql/index.js'
import { requireEventsTable } from '../store/index.js'

/** A run's receipt. Times are timestamptz texts in UTC. */
export interface Receipt {
  readonly id: string
  readonly command: string
  readonly table: string | null
  readonly aggregate: string | null
  readonly state: string
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly seconds: number | null
  /** Who: the user of the machine, the role of the database. */
  readonly osUser: string | null
  readonly dbUser: string
  readonly host: string | null
  readonly version: string | null
  readonly definitionHash: string | null
  /** Options of the command, as plain data. */
  readonly params: unknown
  readonly counts: unknown
  readonly outcome: unknown
}

/** The latest receipts first. READ ONLY. */
export function runs(database: Database, config: LoadedConfig, limit: number): Promise<readonly Receipt[]> {
  return read(database, config, sql`order by id desc limit ${String(limit)}::bigint`)
}

/**
 * One receipt. READ ONLY.
 *
 * @throws UsageError EW_RUN_UNKNOWN
 */
export async function run(database: Database, config: LoadedConfig, id: string): Promise<Receipt> {
  const isId = /^\d{1,18}$/.test(id)
  const [found] = isId ? await read(database, config, sql`where id = ${id}::bigint`) : []
  if (found !== undefined) return found
  throw new UsageError('EW_RUN_UNKNOWN', `there is no run ${JSON.stringify(id)}`, {
    next: 'Run `eventward runs` to see those that there are.',
    details: { run: id },
  })
}

function read(database: Database, config: LoadedConfig, which: Query): Promise<readonly Receipt[]> {
  return database.session((session) =>
    session.transaction({ readOnly: true }, async () => {
      await requireEventsTable(session, config.events)
      const rows = await session.rows(sql`
        select id, command, table_schema, table_name, aggregate_type, state, started_at, finished_at,
          extract(epoch from finished_at - started_at)::numeric(20, 3) as seconds,
          os_user, db_user, host, tool_version, definition_hash, params, counts, outcome
        from eventward.runs
        ${which}`)
      return rows.map(receipt)
    }),
  )
}

function receipt(row: Readonly<Record<string, string | null>>): Receipt {
  const schema = row['table_schema']
  const name = row['table_name']
  return {
    id: row['id']!,
    command: row['command']!,
    table: schema == null || name == null ? null : tableName({ schema, name }),
    aggregate: row['aggregate_type'] ?? null,
    state: row['state']!,
    startedAt: row['started_at']!,
    finishedAt: row['finished_at'] ?? null,
    seconds: row['seconds'] == null ? null : Number(row['seconds']),
    osUser: row['os_user'] ?? null,
    dbUser: row['db_user']!,
    host: row['host'] ?? null,
    version: row['tool_version'] ?? null,
    definitionHash: row['definition_hash'] ?? null,
    // Bookkeeping of ours: counts stand in it as texts, so no number is beyond what JavaScript holds.
    params: parsed(row['params']),
    counts: parsed(row['counts']),
    outcome: parsed(row['outcome']),
  }
}

function parsed(json: string | null | undefined): unknown {
  return json == null ? null : (JSON.parse(json) as unknown)
}
