import { ident, qualified } from '../ident.js'
import { literal } from '../literal.js'
import { COLUMNS, EACH_STATEMENT_NEW, headSql, partitionSql, typeOf } from './append-sql.js'
import type { CaptureInput } from './capture-input.js'

/**
 * The general append: of several events, or to a stream that is not there yet.
 *
 * `was`: what the backfill would write of the row as it was; the first version decides whether trigger or backfill does.
 * `creating`: the row is new, so that no lock on it keeps others from the stream. Outside READ COMMITTED a snapshot may
 * be older than the stream: versions are tried one by one, each in an exception block, since ON CONFLICT would raise.
 */
export function compileAppend(input: CaptureInput): string {
  const partition = partitionSql(input)
  const deleted = literal(input.model.residue.deleted)
  const event = (version: string, from: string, existing: string) => `
      insert into ${partition} (${COLUMNS})
      select ${typeOf(input)}, sid, ${version}, e.type, e.schema_version, e.data,
        meta || coalesce(e.metadata, '{}')${existing} || case when e.inferred then '{"inferred":true}'::jsonb else '{}'::jsonb end,
        case when e.inferred then greatest(e.occurred_at, recorded) else e.occurred_at end
      from ${from}`
  const one = event('taken + 1', '(select (pending).*) e', '')
  return `
create or replace function ${qualified('eventward', input.names.append)}(
  sid text, events eventward.pending[], was eventward.pending[], meta jsonb, creating boolean) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as ${literal(`
#variable_conflict use_variable
declare
  fresh boolean := ${EACH_STATEMENT_NEW};
  taken integer;
  last_type text;
  recorded timestamptz;
  pending eventward.pending;
begin
  select h.version, h.type, h.recorded_at into taken, last_type, recorded from (${headSql(input, 'sid')}) h;
  if was is not null and taken is null then
    if fresh then
      ${event('1', 'unnest(was[1:1]) e', ` || '{"existing":true}'::jsonb`)}
      on conflict do nothing;
      if found then
        ${event('(e.place + 1)::integer', `unnest(was[2:]) with ordinality e (type, schema_version, data, metadata, occurred_at, inferred, place) order by e.place`, ` || '{"existing":true}'::jsonb`)};
      end if;
    else
      begin
        ${event('e.place::integer', `unnest(was) with ordinality e (type, schema_version, data, metadata, occurred_at, inferred, place) order by e.place`, ` || '{"existing":true}'::jsonb`)};
      exception when unique_violation then
        null; -- The backfill's stream, which this snapshot does not show.
      end;
    end if;
    select h.version, h.type, h.recorded_at into taken, last_type, recorded from (${headSql(input, 'sid')}) h;
  elsif was is not null and last_type = ${deleted} then
    -- A row whose creation no trigger saw: its stream goes on with it.
    events := was || events;
  end if;
  taken := coalesce(taken, 0);
  foreach pending in array events loop
    loop
      if fresh and not creating then
        ${one};
        exit;
      elsif fresh then
        ${one}
        on conflict do nothing;
        exit when found;
      else
        begin
          ${one};
          exit;
        exception when unique_violation then
          null;
        end;
      end if;
      taken := taken + 1;
    end loop;
    taken := taken + 1;
  end loop;
end
`)}`
}

/** `revoke` of what no one else may hang onto a table of theirs: the functions write events with our rights. */
export function compileRevoke({ names }: CaptureInput): readonly string[] {
  const all = [
    `${names.before}()`,
    `${names.after}()`,
    `${names.truncate}()`,
    `${names.append}(text, eventward.pending[], eventward.pending[], jsonb, boolean)`,
    `${names.cold}(jsonb, jsonb, timestamptz, boolean)`,
  ]
  return all.map((signature) => {
    const at = signature.indexOf('(')
    return `revoke all on function eventward.${ident(signature.slice(0, at))}${signature.slice(at)} from public`
  })
}
