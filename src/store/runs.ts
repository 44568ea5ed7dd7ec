import { hostname, userInfo } from 'node:os'
import type { Session } from '../db/index.js'
import { type Query, sql } from '../sql/index.js'
import type { KeyTexts } from './chunks.js'
import { toolVersion } from './tool-version.js'

/** `planning` and `running` tell how far it is, not that a process is at work: a process that died says nothing. */
export type RunState = 'planning' | 'running' | 'complete' | 'stopped' | 'failed'

export interface NewRun {
  readonly command: string
  /** Null where it is about no table alone. */
  readonly schema: string | null
  readonly table: string | null
  readonly aggregateType: string | null
  readonly definitionHash: string | null
  /** Plain data: the options of the command. */
  readonly params: Readonly<Record<string, unknown>>
  /** The greatest key at the start, or null where there is nothing to do. */
  readonly upperKey: KeyTexts | null
}

export interface Run {
  readonly id: string
  readonly state: RunState
  readonly definitionHash: string
  readonly params: Readonly<Record<string, unknown>>
  readonly upperKey: KeyTexts | null
  /** The key up to which chunks are planned. */
  readonly plannedTo: KeyTexts | null
  readonly startedAt: string
}

/** Opens a run: the receipt of who began what, where, with which version and definition. */
export async function openRun(session: Pick<Session, 'one'>, run: NewRun): Promise<Run> {
  return runOf(
    await session.one<RunRow>(sql`
    insert into eventward.runs (command, table_schema, table_name, aggregate_type, state, definition_hash,
      params, upper_key, tool_version, application_name, host, os_user)
    values (${run.command}::text, ${run.schema}::text, ${run.table}::text, ${run.aggregateType}::text,
      ${run.upperKey === null ? 'running' : 'planning'}::text, ${run.definitionHash}::text,
      ${JSON.stringify(run.params)}::jsonb, ${keyJson(run.upperKey)}::jsonb, ${toolVersion()}::text,
      current_setting('application_name'), ${hostname()}::text, ${osUser()}::text)
    returning ${COLUMNS}`),
  )
}

/** The last run of a command on a table that isn't complete, or null. Runs that were superseded don't count. */
export async function resumableRun(
  session: Session,
  { command, schema, table }: Pick<NewRun, 'command' | 'schema' | 'table'>,
): Promise<Run | null> {
  const [last] = await session.rows<RunRow & { readonly superseded: string }>(sql`
    select ${COLUMNS}, outcome ? 'superseded' and state = 'failed' as superseded
    from eventward.runs
    where command = ${command}::text
      and table_schema = ${schema}::text
      and table_name = ${table}::text
    order by id desc
    limit 1`)
  return last === undefined || last.state === 'complete' || last.superseded === 't' ? null : runOf(last)
}

/** Marks a run that goes on; gives it as it is now. */
export async function resumeRun(session: Session, id: string): Promise<Run> {
  return runOf(
    await session.one<RunRow>(sql`
    update eventward.runs
    set state = case when upper_key is null or planned_to = upper_key then 'running' else 'planning' end,
      finished_at = null, outcome = null
    where id = ${id}::bigint
    returning ${COLUMNS}`),
  )
}

/**
 * Moves the frontier of a run's plan, within the transaction that adds the chunks. A run that was ended stays so; one
 * that another process stopped is planned on by those that are left.
 */
export async function storeFrontier(session: Session, id: string, plannedTo: KeyTexts): Promise<void> {
  await session.execute(sql`
    update eventward.runs
    set planned_to = ${keyJson(plannedTo)}::jsonb,
      state = case when state = 'planning' and upper_key = ${keyJson(plannedTo)}::jsonb then 'running' else state end
    where id = ${id}::bigint
      and state not in ('complete', 'failed')`)
}

/**
 * Ends a run as its chunks say: `complete` where all is planned and done, else `stopped`. Says so truly whoever else is
 * at work on it, and takes back neither `complete` nor `failed`.
 */
export async function settleRun(
  session: Session,
  id: string,
  outcome: Readonly<Record<string, unknown>>,
): Promise<RunState> {
  return session.transaction({}, async () => {
    // The chunks are added up under the run's lock, in a statement of its own: two processes may end it at once.
    await session.execute(sql`select from eventward.runs where id = ${id}::bigint for no key update`)
    const { state } = await session.one<{ state: RunState }>(settleQuery(id, outcome))
    return state
  })
}

function settleQuery(id: string, outcome: Readonly<Record<string, unknown>>): Query {
  return sql`
    update eventward.runs r
    set state = case when r.state in ('complete', 'failed') then r.state else s.state end,
      counts = s.counts,
      outcome = case when r.state in ('complete', 'failed') then r.outcome else ${JSON.stringify(outcome)}::jsonb end,
      finished_at = case when r.state in ('complete', 'failed') then r.finished_at else clock_timestamp() end
    from (
      select case
          when r.upper_key is not null and r.planned_to is distinct from r.upper_key then 'stopped'
          when count(*) filter (where c.state = 'todo') > 0 then 'stopped'
          else 'complete'
        end as state,
        jsonb_build_object('rows', coalesce(sum(c.rows), 0)::text, 'streams', coalesce(sum(c.streams), 0)::text,
          'events', coalesce(sum(c.events), 0)::text, 'differences', coalesce(sum(c.differences), 0)::text) as counts
      from eventward.runs r
      left join eventward.chunks c on c.run_id = r.id
      where r.id = ${id}::bigint
      group by r.id
    ) s
    where r.id = ${id}::bigint
    returning r.state`
}

/** Ends a run by decree, with its outcome. One that failed stays as it is. */
export async function finishRun(
  session: Pick<Session, 'execute'>,
  id: string,
  state: Extract<RunState, 'complete' | 'stopped' | 'failed'>,
  outcome: Readonly<Record<string, unknown>>,
): Promise<void> {
  await session.execute(sql`
    update eventward.runs
    set state = ${state}::text, outcome = ${JSON.stringify(outcome)}::jsonb, finished_at = clock_timestamp()
    where id = ${id}::bigint
      and state <> 'failed'`)
}

interface RunRow extends Readonly<Record<string, string | null>> {
  readonly id: string
  readonly state: string
  readonly definition_hash: string
  readonly params: string
  readonly upper_key: string | null
  readonly planned_to: string | null
  readonly started_at: string
}

const COLUMNS: Query = sql`id, state, definition_hash, params::text as params, upper_key::text as upper_key,
  planned_to::text as planned_to, started_at::text as started_at`

function runOf(row: RunRow): Run {
  return {
    id: row.id,
    state: row.state as RunState,
    definitionHash: row.definition_hash,
    params: JSON.parse(row.params) as Run['params'],
    upperKey: row.upper_key === null ? null : (JSON.parse(row.upper_key) as KeyTexts),
    plannedTo: row.planned_to === null ? null : (JSON.parse(row.planned_to) as KeyTexts),
    startedAt: row.started_at,
  }
}

function keyJson(key: KeyTexts | null): string | null {
  return key === null ? null : JSON.stringify(key)
}

/** A container may run under a user that has no name. */
function osUser(): string | null {
  try {
    return userInfo().username
  } catch {
    return null
  }
}
