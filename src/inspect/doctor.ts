import { readTables, unsupportedReasons } from '../catalog/index.js'
import type { LoadedConfig, NamedProjection } from '../config/index.js'
import type { Database } from '../db/index.js'
import { tableName } from '../definition/index.js'
import { readInstalled, readOwnTables } from '../migrate/index.js'
import { checkActivity } from './doctor-activity.js'
import { checkApplication } from './doctor-application.js'
import { checkCaptures } from './doctor-capture.js'
import { checkRole } from './doctor-role.js'
import { checkSchema } from './doctor-schema.js'
import { checkServer } from './doctor-server.js'
import { checkTablesAccess } from './doctor-tables.js'
import { checkTimeMachines } from './doctor-time-machines.js'
import { type Finding, found } from './finding.js'
import { pasteable } from './pasteable.js'

/** What `doctor` looks at: a configuration, or what stands for it before there is one. */
export type DoctorConfig = Pick<
  LoadedConfig,
  'schemas' | 'events' | 'aggregates' | 'dispatcher' | 'projections'
>

const WITHOUT_CONFIG: DoctorConfig = {
  schemas: ['public'],
  events: { schema: 'public', table: 'events' },
  aggregates: [],
}

/**
 * Looks for what would stop or disturb a move: rights, version, settings, row level security, triggers in the wrong
 * order, capture that is not whole, old transactions, our own schema. Reads only, in a READ ONLY transaction; takes ACCESS SHARE on the tables for a moment.
 */
export function doctor(database: Database, config: DoctorConfig | null): Promise<readonly Finding[]> {
  const { schemas, events, aggregates, dispatcher, projections = [] } = config ?? WITHOUT_CONFIG
  return database.session((session) =>
    session.transaction({ readOnly: true }, async () => {
      const wanted = [...new Set([...schemas, ...aggregates.map(({ table }) => table.schema)])]
      const ours = await readOwnTables(session)
      const tables = (await readTables(session, wanted)).filter((table) =>
        aggregates.length === 0
          ? unsupportedReasons(table).length === 0 && !ours.has(table.oid)
          : aggregates.some((one) => tableName(one.table) === tableName(table)),
      )
      const missing = aggregates
        .filter((one) => !tables.some((table) => tableName(table) === tableName(one.table)))
        .map(({ name, table }) =>
          found(
            'stop',
            'table',
            `${name}: there is no such table`,
            'Check the database that you are connected to, or run `eventward generate`.',
            tableName(table),
          ),
        )
      const oids = tables.map(({ oid }) => oid)
      const installed = (await readInstalled(session)).events
      return pasteable([
        ...(await checkServer(session)),
        ...(await checkRole(session, { events, tables: oids })),
        ...(await checkSchema(session, events)),
        ...missing,
        ...(await checkTablesAccess(session, tables)),
        ...(await checkCaptures(session, aggregates, tables)),
        ...(installed === null
          ? []
          : await checkApplication(session, {
              events: installed,
              tables: oids,
              aggregates,
              dispatcher: dispatcher != null,
              inline: projections.filter(isInline).map(({ name }) => name),
            })),
        ...(installed === null ? [] : await checkTimeMachines(session, aggregates)),
        ...(await checkActivity(session)),
      ])
    }),
  )
}

/** A configuration knows no more of a projection than its name. */
function isInline(projection: NamedProjection): boolean {
  return 'mode' in projection && projection.mode === 'inline'
}
