import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import type { CaptureInput } from './capture-input.js'

export const COLUMNS =
  'aggregate_type, aggregate_id, version, type, schema_version, data, metadata, occurred_at'

/** SQL of the partition that the triggers write to: past the parent, whose routing costs. */
export function partitionSql({ partition }: CaptureInput): string {
  return qualified(partition.schema, partition.table)
}

/** SQL of the head of a stream: a subselect of one row, or none. A scalar probe of the primary key, backwards. */
export function headSql(input: CaptureInput, id: string, extra = ''): string {
  return `select e.version, e.type, e.recorded_at${extra}
      from ${partitionSql(input)} e
      where e.aggregate_type = ${typeOf(input)}
        and e.aggregate_id = ${id}
      order by e.version desc
      limit 1`
}

/** The aggregate type as a literal of the events' own collation. */
export function typeOf({ model }: CaptureInput): string {
  return literal(model.name)
}

/** SQL of what each event's metadata says, `inferred` beside where no column told the time. */
export function metadataSql({ definition, shape, writer }: CaptureInput, source = 'trigger'): string {
  const base = literal(JSON.stringify({ source, definition, shape, writer }))
  return `case when coalesce(pg_catalog.current_setting('eventward.metadata', true), '') = ''
        then ${base}::pg_catalog.jsonb || pg_catalog.jsonb_build_object('app', pg_catalog.current_setting('application_name'), 'user', session_user)
        else eventward.captured_metadata(${base}) end`
}

export const INFERRED = `'{"inferred":true}'::pg_catalog.jsonb`

/** Isolation levels whose every statement has a snapshot of its own. */
export const EACH_STATEMENT_NEW = `pg_catalog.current_setting('transaction_isolation') in ('read committed', 'read uncommitted')`
