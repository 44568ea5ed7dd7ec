import { type CaptureProblem, type CaptureStatus, captureStatus, type Phase } from '../capture/index.js'
import { readTables } from '../catalog/index.js'
import type { EventsTable, LoadedConfig } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { shellWord } from '../errors/index.js'
import { readInstalled } from '../migrate/index.js'
import { sql } from '../sql/index.js'
import { readIncomplete } from '../store/index.js'
import { type DefinitionLook, definitionProblems, lookAtDefinition } from './definition-problems.js'
import { type LastBackfill, type LastVerify, lastBackfill, lastVerify, openDifferences } from './last-runs.js'
import { nextStep } from './next-step.js'
import { residueShare } from './residue-share.js'
import { selectAggregates } from './select-aggregates.js'

/** Where one table stands. What nobody knows is null, never 0. */
export interface TableStatus {
  readonly table: string
  readonly aggregate: string
  readonly phase: Phase
  readonly capture: CaptureStatus['capture']
  readonly reads: 'legacy'
  readonly backfill: LastBackfill | null
  readonly verify: LastVerify | null
  /** The verify whose proof stands, for a gate; null where none does. */
  readonly provenBy: string | null
  /** Of the streams, what share needed a `Changed`, by a sample; null where there are none. */
  readonly residueShare: number | null
  /** Null where nothing was verified yet. */
  readonly openDifferences: string | null
  /** Writes that could not be stored as events, and that no verify has looked at since; null where nobody knows. */
  readonly incomplete: string | null
  /** Events of which code says what they do: the table is proven by replay alone. */
  readonly provenByReplay?: readonly string[]
  /** What is the matter, the gravest first. */
  readonly problems: readonly Pick<CaptureProblem, 'what' | 'next'>[]
  readonly next: string
}

/**
 * Says where every table stands, those with a problem first. Reads our own bookkeeping and a sample of the events; READ
 * ONLY.
 */
export function status(
  database: Database,
  config: LoadedConfig,
  tables: readonly string[] = [],
): Promise<readonly TableStatus[]> {
  const chosen = selectAggregates(config, tables)
  return database.session(async (session) => {
    const looks = await lookAtDefinitions(session, chosen)
    return session.transaction({ readOnly: true }, async () => {
      const { events } = await readInstalled(session)
      const all: TableStatus[] = []
      for (const definition of chosen) {
        all.push(await statusOf(session, definition, { events, look: looks.get(definition) ?? null }))
      }
      const troubled = all.filter(({ problems }) => problems.length > 0)
      return [...troubled, ...all.filter(({ problems }) => problems.length === 0)]
    })
  })
}

/** Before anything is installed there is nothing to hold definitions against; a table that is gone is said elsewhere. */
async function lookAtDefinitions(
  session: Session,
  definitions: readonly AggregateDefinition[],
): Promise<ReadonlyMap<AggregateDefinition, DefinitionLook>> {
  const looks = new Map<AggregateDefinition, DefinitionLook>()
  const { events } = await session.transaction({ readOnly: true }, () => readInstalled(session))
  if (events === null) return looks
  for (const definition of definitions) {
    looks.set(definition, await lookAtDefinition(session, definition, events))
  }
  return looks
}

async function statusOf(
  session: Session,
  definition: AggregateDefinition,
  { events, look }: { readonly events: EventsTable | null; readonly look: DefinitionLook | null },
): Promise<TableStatus> {
  const { name, table, residue } = definition
  const shown = tableName(table)
  const [live] = await readTables(session, [table.schema], [table.name])
  const capture = events === null ? null : await captureStatus(session, definition)
  const backfill = events === null ? null : await lastBackfill(session, table, live?.rowEstimate ?? null)
  const verify = events === null ? null : await lastVerify(session, table)
  const open = events === null || verify === null ? null : await openDifferences(session, table)
  const share =
    events === null || backfill === null ? null : await residueShare(session, events, { name, residue })
  const kept = capture?.installed === true ? await keptOf(session, name) : null
  const known = { backfill, verify, openDifferences: open, provenBy: kept?.provenBy ?? null }
  const ofDefinition =
    look === null || live === undefined ? [] : definitionProblems(definition, look, capture)
  const problems = [
    ...(capture?.problems ?? []).map(({ what, next }) => ({ what, next })),
    ...ofDefinition,
    ...problemsOf(shown, { open, incomplete: kept?.incomplete ?? null }),
  ]
  return {
    table: shown,
    aggregate: name,
    phase: capture?.phase ?? 'legacy',
    capture: capture?.capture ?? 'off',
    reads: 'legacy',
    ...known,
    residueShare: share,
    incomplete: kept?.incomplete.count ?? null,
    problems,
    ...provenByReplay(definition),
    next: nextStep(shown, {
      ...known,
      migrated: events !== null,
      exists: live !== undefined,
      capture,
      ofDefinition,
      incomplete: kept?.incomplete.count ?? '0',
    }),
  }
}

function provenByReplay({ events }: AggregateDefinition): Pick<TableStatus, 'provenByReplay'> {
  const types = events.flatMap(({ type, apply }) => (apply === undefined ? [] : [type]))
  return types.length === 0 ? {} : { provenByReplay: types }
}

interface Kept {
  readonly provenBy: string | null
  readonly incomplete: Awaited<ReturnType<typeof readIncomplete>>
}

/** A proof stands only as long as the table is what it was. */
async function keptOf(session: Session, aggregateType: string): Promise<Kept> {
  const [row] = await session.rows<{ run: string | null }>(sql`
    select verified_run as run
    from eventward.captures
    where aggregate_type = ${aggregateType}::text
      and state = 'on'
      and verified_fingerprint = eventward.fingerprint(relid)
      and verified_hash = definition_hash`)
  return { provenBy: row?.run ?? null, incomplete: await readIncomplete(session, aggregateType) }
}

function problemsOf(
  table: string,
  { open, incomplete }: { readonly open: string | null; readonly incomplete: Kept['incomplete'] | null },
): TableStatus['problems'] {
  const word = shellWord(table)
  return [
    ...(open === null || open === '0'
      ? []
      : [{ what: `${open} open differences`, next: `eventward verify ${word} --open` }]),
    ...(incomplete === null || incomplete.count === '0'
      ? []
      : [
          {
            what: `${incomplete.count} writes could not be stored as events (the last: ${incomplete.reason})`,
            next: `eventward verify ${word}`,
          },
        ]),
  ]
}
