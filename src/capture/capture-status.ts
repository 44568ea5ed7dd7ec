import { boundColumns, shapeId } from '../bind/index.js'
import { readTables } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { sql } from '../sql/index.js'
import { type Capture, captureProblems, readCapture, readFingerprint } from '../store/index.js'
import type { CaptureProblem, CaptureStatus } from './capture-result.js'
import { problemText } from './problem-text.js'

/**
 * Says whether a table is captured, and what keeps that from being whole. Reads the catalog and our bookkeeping; takes no
 * lock. Works where eventward is not installed, too.
 */
export async function captureStatus(
  session: Session,
  definition: AggregateDefinition,
): Promise<CaptureStatus> {
  const table = tableName(definition.table)
  const installed = await isInstalled(session)
  const capture = installed ? await readCapture(session, definition.name) : null
  if (capture === null || capture.state === 'off') {
    return {
      table,
      installed,
      capture: 'off',
      phase: 'legacy',
      directWrites: definition.directWrites,
      since: capture?.since ?? null,
      phaseSince: null,
      epoch: capture?.epoch ?? null,
      definitionHash: capture?.definitionHash ?? null,
      problems: [],
      fingerprint: null,
    }
  }
  const found = (await captureProblems(session, definition.name)).map((one) => problemText(table, one))
  const problems = [...found, ...(await milderProblems(session, definition, capture))]
  return {
    table,
    installed,
    capture: found.length > 0 ? 'broken' : 'on',
    phase: capture.phase,
    directWrites: capture.directWrites,
    since: capture.since,
    phaseSince: capture.phaseSince,
    epoch: capture.epoch,
    definitionHash: capture.definitionHash,
    problems,
    fingerprint: await readFingerprint(session, capture),
  }
}

async function isInstalled(session: Session): Promise<boolean> {
  const { there } = await session.one<{ there: string }>(sql`
    select exists (
      select
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'eventward'
        and c.relname = 'captures'
        and has_schema_privilege(n.oid, 'usage')
        and has_table_privilege(c.oid, 'select')
    ) as there`)
  return there === 't'
}

/** No write is lost by these: it takes the slower way, or has the events of an older definition. */
async function milderProblems(
  session: Session,
  { name, table, directWrites }: AggregateDefinition,
  capture: Capture,
): Promise<readonly CaptureProblem[]> {
  const shown = shellWord(tableName(table))
  const next = `eventward capture on ${shown}`
  const mild = (code: string, what: string): CaptureProblem => ({ code, what, next, broken: false })
  const [installed] = await session.rows<{ hash: string }>(sql`
    select hash
    from eventward.aggregates
    where aggregate_type = ${name}::text`)
  const [live] = await readTables(session, [table.schema], [table.name])
  const shape = live === undefined ? null : shapeId({ columns: boundColumns(live, table) })
  return [
    ...(installed !== undefined && installed.hash !== capture.definitionHash
      ? [mild('definition', 'its triggers were made from another definition than the one installed')]
      : []),
    ...(shape === null || shape === capture.rowShape
      ? []
      : [
          {
            ...mild('columns', 'its columns were changed since: each write is captured the slow way'),
            next: `eventward adopt ${shown}`,
          },
        ]),
    ...(directWrites === capture.directWrites
      ? []
      : [
          mild(
            'direct_writes',
            `direct writes are ${capture.directWrites === 'refuse' ? 'refused' : 'captured'}, the configuration says otherwise`,
          ),
        ]),
  ]
}
