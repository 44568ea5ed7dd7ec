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

/**
 * SQL of what each event's metadata says; of one that no column dates, `inferred` as well. By texts, and the shorter keys
 * first, as jsonb sorts them: half of what building an object of any values behind the constant takes.
 */
export function metadataSql({ definition, shape, writer }: CaptureInput, inferred = false): string {
  const said = { source: 'trigger', definition, shape, writer, ...(inferred ? { inferred } : {}) }
  const base = `${literal(JSON.stringify(said))}::pg_catalog.jsonb`
  return `case when pg_catalog.current_setting('eventward.metadata', true) <> ''
        then eventward.captured_metadata(${base})
        else pg_catalog.jsonb_object(array['app', pg_catalog.current_setting('application_name'), 'user', session_user::pg_catalog.text])
          || ${base} end`
}

export const INFERRED = `'{"inferred":true}'::pg_catalog.jsonb`

/** Isolation levels whose every statement has a snapshot of its own. */
export const EACH_STATEMENT_NEW = `pg_catalog.current_setting('transaction_isolation') in ('read committed', 'read uncommitted')`
