import type { BoundModel } from '../../definition/index.js'
import { keyColumns, memberSql, objectSql, streamIdSql, textSql } from '../compile-encode.js'
import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import type { CaptureInput } from './capture-input.js'
import { field } from './sides.js'

/** SQL of a row's stream id. */
export function idSql(model: BoundModel, row: 'old' | 'new'): string {
  return `(${streamIdSql(model, field(row))})`
}

/** SQL of `eventward.image` of a row of the trigger. */
export function imageSql(input: CaptureInput, row: 'old' | 'new'): string {
  return `eventward.image(tg_relid, ${row}, ${input.relid}, ${keyNumbers(input)})`
}

/** The numbers of the key's columns in the table that is captured. */
export function keyNumbers({ model }: CaptureInput): string {
  return `'{${keyColumns(model)
    .map(({ attnum }) => attnum)
    .join(',')}}'::smallint[]`
}

/** The events that a command announced, as `eventward.pending[]`; `said` holds the announcement. */
export const ANNOUNCED_EVENTS = `(
      select array_agg(row(a.event ->> 'type', (a.event ->> 'schemaVersion')::integer, coalesce(a.event -> 'data', '{}'),
        '{"source":"command"}'::jsonb || coalesce(said -> 'metadata', '{}'), coalesce((a.event ->> 'occurredAt')::timestamptz, moment),
        a.event ->> 'occurredAt' is null)::eventward.pending order by a.place)
      from jsonb_array_elements(said -> 'events') with ordinality a (event, place))`

/** SQL of the new row as an announced image has it: texts by column. */
export function imageTexts(model: BoundModel): string {
  const of = field('new')
  return objectSql(model.columns.map((column) => [column.name, textSql(column, of(column))] as const))
}

/** SQL of what the new row holds beyond the announced image, as data of a `Changed`; NULL where nothing. */
export function differenceSql(model: BoundModel): string {
  const of = field('new')
  const texts = imageTexts(model)
  const members = objectSql(
    model.columns.map((column) => [column.name, memberSql(column, of(column))] as const),
  )
  return `eventward.difference(${texts}, ${members}, said -> 'image', ${plainNames(model)})`
}

/** Columns that stand under their own names in a `Changed`. */
export function plainNames(model: BoundModel): string {
  const names = model.columns.filter(({ name, known }) => known && !name.startsWith('$'))
  return `array[${names.map(({ name }) => literal(name)).join(', ')}]::text[]`
}

/**
 * A `Changed` of the announced row's own, appended to `events` where there is a difference. But for what a legacy trigger
 * made of `updatedAt` alone: that stands in the last event, which carries it already.
 */
export function changedAfterAnnounced(model: BoundModel): string {
  const changed = `events := events || row(${literal(model.residue.changed)}, 1, difference, null, moment, true)::eventward.pending;`
  if (model.updatedAt === null) {
    return `if difference is not null then
        ${changed}
      end if;`
  }
  const stamp = literal(model.updatedAt)
  const last = 'events[array_upper(events, 1)]'
  return `if difference ? ${stamp} and difference - ${stamp} = '{}' and (${last}).data ->> ${stamp} = said -> 'image' ->> ${stamp} then
        events := events[:array_upper(events, 1) - 1] || row((${last}).type, (${last}).schema_version, (${last}).data || difference,
          (${last}).metadata, (${last}).occurred_at, (${last}).inferred)::eventward.pending;
      elsif difference is not null then
        ${changed}
      end if;`
}

/** SQL of what the metadata of events of the cold path say more: why, and which columns are not those of their shape. */
export function coldMetadata({ model, relid }: CaptureInput, why: string): string {
  const known = JSON.stringify(Object.fromEntries(model.columns.map(({ attnum, name }) => [attnum, name])))
  return `jsonb_build_object('cold', true, 'why', left(${why}, 200), 'columns', eventward.moved_columns(${relid}, ${literal(known)}))`
}

/** Notes a write that could not be stored; it goes on. */
export function noteIncomplete({ model }: CaptureInput): string {
  return `insert into eventward.incomplete (aggregate_type, aggregate_id, reason) values (${literal(model.name)}, sid, sqlerrm);`
}

/** A key of this many bytes fits our index, whose entries are longer than those of the table's own. */
const SAFE_KEY_BYTES = 1500

/** Types whose text is never that long. */
const SHORT = new Set(
  ['int2', 'int4', 'int8', 'oid', 'uuid', 'bool', 'date', 'timestamp', 'timestamptz'].map((type) =>
    qualified('pg_catalog', type),
  ),
)

/** SQL of whether a stream's id is too long to be sure of the index; `false` where its key can't be. */
export function longId(model: BoundModel): string {
  const short = keyColumns(model).every(({ castType }) => SHORT.has(castType))
  return short ? 'false' : `octet_length(sid) > ${SAFE_KEY_BYTES}`
}

/** plpgsql that appends `events`; what the index can't hold is noted, and the write goes on. */
export function append(input: CaptureInput, was: 'was' | 'null', creating: boolean): string {
  const call = `perform ${qualified('eventward', input.names.append)}(sid, coalesce(events, '{}'), ${was}, meta, ${creating});`
  const long = longId(input.model)
  if (long === 'false') return call
  return `if ${long} then
    begin
      ${call}
    exception when program_limit_exceeded then
      ${noteIncomplete(input).replace('sid', 'left(sid, 1000)')}
    end;
  else
    ${call}
  end if;`
}

/** Refuses a direct write to a table whose truth are its events. */
export function refuse({ model }: CaptureInput): string {
  return `if tg_nargs = 3 and pg_trigger_depth() = 1 then
    raise exception using
      errcode = 'EW010',
      message = format('%I.%I is written by commands of %s only: a direct %s is refused', tg_table_schema, tg_table_name, ${literal(model.name)}, lower(tg_op)),
      hint = 'Use a command, or set directWrites to capture in the definition.',
      schema = tg_table_schema,
      table = tg_table_name;
  end if;`
}
