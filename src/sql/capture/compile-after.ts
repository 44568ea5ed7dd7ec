import type { BoundModel } from '../../definition/index.js'
import { conditionSql, join, sideDiffersSql } from '../compile-condition.js'
import { keyColumns } from '../compile-encode.js'
import { boundInstant, creatingEvent } from '../compile-recognise.js'
import { anyResidue } from '../compile-residue.js'
import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import { COLUMNS, EACH_STATEMENT_NEW, headSql, metadataSql, partitionSql, typeOf } from './append-sql.js'
import { assumedScope } from './assumed-scope.js'
import type { CaptureInput } from './capture-input.js'
import { modelOfTriggers } from './capture-model.js'
import { ANNOUNCED, CASE, columnNamed, movedSql, movingCase } from './classify.js'
import {
  ANNOUNCED_EVENTS,
  append,
  changedAfterAnnounced,
  coldMetadata,
  differenceSql,
  idSql,
  imageSql,
  keyNumbers,
  longId,
  noteIncomplete,
  plainNames,
  refuse,
} from './general-sql.js'
import { pendingSql } from './pending.js'
import { created, UPDATE } from './sides.js'

/** A creation that is one event. */
const ALONE = 7
/** An update that was queued though its key stayed. */
const NOTHING = 0

/**
 * The AFTER ROW trigger of INSERT (`before` would record what ON CONFLICT DO NOTHING never inserts) and of the updates
 * that change a key. Writes nothing where the stream is alive through an event of its own transaction: a nested
 * statement has recorded the row already; nor where it is dead and the row is gone again.
 */
export function compileAfter(input: CaptureInput): string {
  const model = modelOfTriggers(input.model)
  const fast = oneCreation(model)
  const deleted = literal(model.residue.deleted)
  const keyStays = join(
    keyColumns(model).map((column) => `not (${sideDiffersSql(column, UPDATE)})`),
    'and',
    'true',
  )
  return `
create or replace function ${qualified('eventward', input.names.after)}() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as ${literal(`
#variable_conflict use_column
declare
  m integer;
  sid text;
  dat jsonb;
  at timestamptz;
  meta jsonb;
  moment timestamptz;
  fresh boolean;
  last_version integer;
  last_type text;
  own boolean;
  events eventward.pending[];
  said jsonb;
  difference jsonb;
  why text;
  moved_from text;
begin
  begin
    m := case
      when ${movedSql(input)} then ${CASE.moved}
      when tg_op = 'UPDATE' then case when ${keyStays} then ${NOTHING} else ${CASE.general} end
      when ${ANNOUNCED} then ${CASE.announced}
      when tg_nargs = 3 then ${CASE.refusing}${movingCase(input)}
      ${fast === null ? `else ${CASE.general}` : `when ${fast.unless} then ${CASE.general}\n      else ${ALONE}`} end;
    sid := ${idSql(model, 'new')};
    ${
      fast === null
        ? ''
        : `if m = ${ALONE} then
      dat := ${fast.data};
      meta := ${metadataSql(input, fast.at === null)};
      at := ${fast.at ?? 'pg_catalog.clock_timestamp()'};
    end if;`
    }
  exception when others then
    m := ${CASE.moved};
    why := sqlerrm;
  end;
  if tg_op = 'UPDATE' then
    perform set_config('eventward.moved', '', true);
    if m = ${NOTHING} then
      return null;
    end if;
  end if;
  ${
    fast === null
      ? ''
      : `if m = ${ALONE} and at is not null and ${EACH_STATEMENT_NEW}${longId(model) === 'false' ? '' : ` and not ${longId(model)}`} then
    insert into ${partitionSql(input)} (${COLUMNS})
    values (${typeOf(input)}, sid, 1, ${literal(fast.type)}, ${fast.schemaVersion}, dat, meta, at)
    on conflict do nothing;
    if found then
      return null;
    end if;
  end if;`
  }

  fresh := ${EACH_STATEMENT_NEW};
  moment := clock_timestamp();
  begin
    if m = ${CASE.moved} then
      raise undefined_column;
    end if;
    meta := ${metadataSql(input)};
    if tg_op = 'UPDATE' then
      moved_from := ${idSql(model, 'old')};
    elsif m = ${CASE.announced} then
      said := eventward.announced(${literal(model.name)}, sid);
    end if;
    if said ? 'events' then
      events := ${ANNOUNCED_EVENTS};
      difference := ${differenceSql(model)};
    else
      events := ${pendingSql(model, { sides: created('new'), now: 'moment' })};
    end if;
  exception
  when transaction_rollback then
    raise; -- A serialization failure is the application's own to see.
  when others then
    declare
      after_image jsonb;
    begin
      meta := ${metadataSql(input)} || ${coldMetadata(input, 'coalesce(why, sqlerrm)')};
      after_image := ${imageSql(input, 'new')};
      sid := coalesce(eventward.stream_of_image(after_image), '!' || gen_random_uuid());
      said := null;
      if tg_op = 'UPDATE' then
        moved_from := eventward.stream_of_image(${imageSql(input, 'old')});
        if moved_from = sid then
          return null;
        end if;
      else
        said := eventward.announced(${literal(model.name)}, sid);
      end if;
      if said ? 'events' then
        events := ${ANNOUNCED_EVENTS};
        difference := eventward.difference(after_image -> 't', after_image -> 'e', said -> 'image', ${plainNames(model)});
      else
        events := ${qualified('eventward', input.names.cold)}(null, after_image, moment, false);
      end if;
    exception
    when transaction_rollback then
      raise;
    when others then
      ${noteIncomplete(input)}
      return null;
    end;
  end;

  select h.version, h.type, h.own into last_version, last_type, own
  from (${headSql(input, 'sid', ', e.transaction_id = pg_current_xact_id() as own')}) h;
  if own and last_type <> ${deleted} then
    return null;
  end if;
  if last_type = ${deleted} and not eventward.row_exists(tg_relid, ${input.relid}, ${keyNumbers(input)}, ${equalOperators(input)}, new) then
    return null;
  end if;
  if said is not null then
    perform set_config('eventward.announced', '', true);
    ${changedAfterAnnounced(model)}
  elsif tg_op = 'INSERT' then
    ${refuse(input)}
  end if;
  if fresh and last_type <> ${deleted} then
    -- Its row went unseen (a disabled trigger): a new row with its key proves it. An older snapshot proves nothing.
    events := row(${deleted}, 1, '{}'::jsonb, '{"unseen":true}', moment, true)::eventward.pending || events;
  end if;
  ${
    input.partitioned
      ? `if tg_op = 'INSERT' then
    moved_from := eventward.moving(sid, 1);
    perform set_config('eventward.moving', '', true);
  end if;
  `
      : ''
  }if moved_from is not null then
    events[1].metadata := coalesce(events[1].metadata, '{}') || jsonb_build_object('movedFrom', moved_from);
  end if;
  ${append(input, 'null', true)}
  return null;
end
`)}`
}

interface OneCreation {
  /** SQL of whether the creation means more than one event. */
  readonly unless: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  readonly at: string | null
}

/** Null where the definition has several creating events: the general code chooses. */
function oneCreation(model: BoundModel): OneCreation | null {
  const sides = created('new')
  const scope = assumedScope(model, { sides, event: null, now: 'pg_catalog.clock_timestamp()' })
  const [creating, ...others] = scope.creating
  if (creating === undefined || others.length > 0) return null
  const { type, schemaVersion, data } = creatingEvent(scope, creating, 0)
  const more = scope.later.map(({ event }) => conditionSql(event.condition, sides, columnNamed(model)))
  return {
    unless: join(
      [...more, `(${anyResidue(scope)})`].filter((sql) => sql !== '(false)'),
      'or',
      'false',
    ),
    type,
    schemaVersion,
    data,
    at: creating.event.bound.length === 0 ? null : boundInstant(scope, creating),
  }
}

function equalOperators({ key }: CaptureInput): string {
  return `array[${key.columns.map(({ equal }) => literal(equal)).join(', ')}]::text[]`
}
