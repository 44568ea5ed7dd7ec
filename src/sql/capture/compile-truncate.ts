import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import { COLUMNS, EACH_STATEMENT_NEW, INFERRED, metadataSql, partitionSql, typeOf } from './append-sql.js'
import type { CaptureInput } from './capture-input.js'
import { keyNumbers, refuse } from './general-sql.js'
import { OUTPUT_SETTINGS } from './output-settings.js'

/**
 * The BEFORE TRUNCATE trigger of each leaf: `Deleted` for every live stream of its rows. Columns are read by name: it
 * is rare. An older snapshot may not show all rows that go, so outside READ COMMITTED the gate is closed as well.
 */
export function compileTruncate(input: CaptureInput): string {
  const deleted = literal(input.model.residue.deleted)
  const noted = (id: string, reason: string) =>
    `insert into eventward.incomplete (aggregate_type, aggregate_id, reason) values (${literal(input.model.name)}, ${id}, ${reason});`
  return `
create or replace function ${qualified('eventward', input.names.truncate)}() returns trigger
language plpgsql security definer
${OUTPUT_SETTINGS}
as ${literal(`
#variable_conflict use_column
declare
  fresh boolean := ${EACH_STATEMENT_NEW};
  names text[] := eventward.key_names(${input.relid}, ${keyNumbers(input)});
  id text := (
    select case count(*)
      when 1 then min(format('format(''%%s'', r.%I)', k.name))
      else '''['' || ' || string_agg(format('to_json(format(''%%s'', r.%I))::text', k.name), ' || '','' || ' order by k.place) || ' || '']'''
    end
    from unnest(names) with ordinality k (name, place));
  meta jsonb;
  stream record;
begin
  -- Left on a partition that was detached: its rows are of another table now.
  if tg_relid <> ${input.relid}
    and not exists (select from pg_partition_ancestors(tg_relid) a where a.relid = ${input.relid}) then
    return null;
  end if;
  ${refuse(input)}
  begin
    meta := ${metadataSql(input)} || '{"truncated":true}';
    if fresh then
      execute format(
        'insert into ${partitionSql(input).replaceAll("'", "''").replaceAll('%', '%%')} (${COLUMNS}) '
        'select %L, s.id, h.version + 1, %L, 1, ''{}''::jsonb, $1, greatest(clock_timestamp(), h.recorded_at) '
        'from (select (%s) collate "C" as id from only %s r) s '
        'cross join lateral (select e.version, e.type, e.recorded_at '
        'from ${partitionSql(input).replaceAll("'", "''").replaceAll('%', '%%')} e '
        'where e.aggregate_type = %L and e.aggregate_id = s.id order by e.version desc limit 1) h '
        'where h.type <> %L order by s.id',
        ${typeOf(input)}, ${deleted}, id, tg_relid::regclass, ${typeOf(input)}, ${deleted})
      using meta || ${INFERRED};
    else
      ${noted('null', "'TRUNCATE outside READ COMMITTED: rows that its snapshot does not show'")}
      for stream in execute format(
        'select (%s) collate "C" as id from only %s r', id, tg_relid::regclass)
      loop
        perform ${qualified('eventward', input.names.append)}(stream.id,
          array[row(${deleted}, 1, '{}'::jsonb, null, clock_timestamp(), true)::eventward.pending], null, meta, false)
        where exists (
          select
          from ${partitionSql(input)} e
          where e.aggregate_type = ${typeOf(input)}
            and e.aggregate_id = stream.id);
      end loop;
    end if;
  exception when others then
    ${noted('null', "'TRUNCATE: ' || sqlerrm")}
  end;
  return null;
end
`)}`
}
