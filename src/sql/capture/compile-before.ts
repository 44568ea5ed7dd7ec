import type { BoundModel } from '../../definition/index.js'
import { boundInstant, changedEvent, laterEvent } from '../compile-recognise.js'
import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import { announcedOne } from './announced-one.js'
import { COLUMNS, headSql, metadataSql, partitionSql, typeOf } from './append-sql.js'
import { assumedScope } from './assumed-scope.js'
import type { CaptureInput } from './capture-input.js'
import { modelOfTriggers } from './capture-model.js'
import { CASE, changesSql, classifyUpdate, type Mask, moreSql } from './classify.js'
import {
  ANNOUNCED_EVENTS,
  append,
  changedAfterAnnounced,
  coldMetadata,
  differenceSql,
  idSql,
  imageSql,
  longId,
  noteIncomplete,
  plainNames,
  refuse,
} from './general-sql.js'
import { pendingSql } from './pending.js'
import { created, UPDATE } from './sides.js'

/** An update that means one event: its type, and how its data and time are made. */
interface OneEvent {
  readonly value: number
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  /** SQL of its time, which may be NULL; null where no column gives one. */
  readonly at: string | null
  /** SQL of whether the update means more than it: left to the general code, as is a time that is NULL. */
  readonly more: string
}

/**
 * The last BEFORE ROW trigger of UPDATE and DELETE: it sees the row that will be stored, under the row's lock.
 *
 * The first block writes nothing, so it takes no subtransaction id, and whatever fails in it (a stranger's ALTER TABLE)
 * leads to the code behind it, which reads columns by name.
 *
 * What an insert takes is made in that block: an expression of plpgsql is set up once in a transaction, one of the insert
 * in each of its runs, and a clock in its SELECT would keep it from being planned as one.
 */
export function compileBefore(input: CaptureInput): string {
  const model = modelOfTriggers(input.model)
  const mask = classifyUpdate(input, model, UPDATE)
  const ones = oneEvents(model, mask)
  return `
create or replace function ${qualified('eventward', input.names.before)}() returns trigger
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
  last_version integer;
  last_type text;
  was eventward.pending[];
  events eventward.pending[];
  said jsonb;
  difference jsonb;
  why text;
  moving text;
begin
  begin
    m := ${mask.sql};
    ${ones.map(guarded(input, model)).join('')}if m = ${CASE.deletes} then
      sid := ${idSql(model, 'old')};
      at := pg_catalog.clock_timestamp();
      meta := ${metadataSql(input, true)};
    elsif m = ${CASE.announced} and tg_op = 'UPDATE' then
      meta := ${metadataSql(input)};
      ${announcedOne(model)}
    end if;
    ${
      longId(model) === 'false'
        ? ''
        : `if ${longId(model)} then
      m := case when m = ${CASE.moved} then m else ${CASE.general} end;
    end if;`
    }
  exception when others then
    m := ${CASE.moved};
    why := sqlerrm;
  end;

  ${ones.map((one) => insertOne(input, one)).join('')}if m = ${CASE.announcedOne} then
    insert into ${partitionSql(input)} (${COLUMNS})
    select ${typeOf(input)}, sid, h.version + 1, dat ->> 'type', last_version,
      coalesce(dat -> 'data', '{}'), meta || '{"source":"command"}' || coalesce(said -> 'metadata', '{}'), at
    from (${headSql(input, 'sid')}) h
    where h.type <> ${literal(model.residue.deleted)};
    if found then
      perform set_config('eventward.announced', '', true);
      return new;
    end if;
    m := ${CASE.announced};
    said := null;
  elsif m = ${CASE.deletes} then
    insert into ${partitionSql(input)} (${COLUMNS})
    select ${typeOf(input)}, sid, h.version + 1, ${literal(model.residue.deleted)}, 1, '{}'::jsonb, meta, greatest(at, h.recorded_at)
    from (${headSql(input, 'sid')}) h
    where h.type <> ${literal(model.residue.deleted)};
    if found then
      return old;
    end if;
  end if;

  -- Several events, none of the stream yet, a command's write, or a table that is no more what it was.
  moment := clock_timestamp();
  begin
    if m = ${CASE.moved} then
      raise undefined_column;
    end if;
    meta := ${metadataSql(input)};
    sid := ${idSql(model, 'old')};
    if m = ${CASE.announced} then
      said := eventward.announced(${literal(model.name)}, sid);
    end if;
    select h.version, h.type into last_version, last_type from (${headSql(input, 'sid')}) h;
    if last_version is null or (last_type = ${literal(model.residue.deleted)} and tg_op = 'UPDATE') then
      was := ${pendingSql(model, { sides: created('old'), now: 'moment', backfill: true })};
    end if;
    if tg_op = 'UPDATE' and said is not null and ${idSql(model, 'old')} <> ${idSql(model, 'new')} then
      said := null; -- No command changes a key.
    end if;
    if said ? 'events' then
      events := ${ANNOUNCED_EVENTS};
      if tg_op = 'UPDATE' then
        difference := ${differenceSql(model)};
      end if;
    elsif tg_op = 'DELETE' then
      events := case when last_type = ${literal(model.residue.deleted)} then null else ${deletedPending(model, movedTo(input))} end;
    elsif m = ${CASE.keyChanges} or ${idSql(model, 'old')} <> ${idSql(model, 'new')} then
      m := ${CASE.keyChanges};
      ${leaving(input, idSql(model, 'new'))}events := ${deletedPending(model, `jsonb_build_object('movedTo', ${idSql(model, 'new')})`)};
    else
      events := ${pendingSql(model, { sides: UPDATE, now: 'moment' })};
    end if;
  exception
  when transaction_rollback then
    raise; -- A serialization failure is the application's own to see.
  when others then
    declare
      before_image jsonb;
      after_image jsonb;
    begin
      meta := ${metadataSql(input)} || ${coldMetadata(input, 'coalesce(why, sqlerrm)')};
      before_image := ${imageSql(input, 'old')};
      sid := coalesce(eventward.stream_of_image(before_image), '!' || gen_random_uuid());
      said := eventward.announced(${literal(model.name)}, sid);
      last_type := null;
      select h.version, h.type into last_version, last_type from (${headSql(input, 'sid')}) h;
      was := null;
      if last_version is null or (last_type = ${literal(model.residue.deleted)} and tg_op = 'UPDATE') then
        was := ${qualified('eventward', input.names.cold)}(null, before_image, moment, true);
      end if;
      if tg_op = 'UPDATE' then
        after_image := ${imageSql(input, 'new')};
      end if;
      if tg_op = 'UPDATE' and eventward.stream_of_image(after_image) <> sid then
        said := null;
      end if;
      if said ? 'events' then
        events := ${ANNOUNCED_EVENTS};
        if tg_op = 'UPDATE' then
          difference := eventward.difference(after_image -> 't', after_image -> 'e', said -> 'image', ${plainNames(model)});
        end if;
      elsif tg_op = 'DELETE' then
        events := case when last_type = ${literal(model.residue.deleted)} then null else ${deletedPending(model, movedTo(input))} end;
      elsif eventward.stream_of_image(after_image) <> sid then
        m := ${CASE.keyChanges};
        ${leaving(input, 'eventward.stream_of_image(after_image)')}events := ${deletedPending(model, `jsonb_build_object('movedTo', eventward.stream_of_image(after_image))`)};
      else
        events := ${qualified('eventward', input.names.cold)}(before_image, after_image, moment, false);
      end if;
    exception
    when transaction_rollback then
      raise;
    when others then
      ${noteIncomplete(input)}
      if tg_op = 'DELETE' then
        return old;
      end if;
      return new;
    end;
  end;

  if said is not null then
    perform set_config('eventward.announced', '', true);
    ${changedAfterAnnounced(model)}
  else
    ${refuse(input)}
  end if;
  if moving is not null then
    -- PostgreSQL makes it a DELETE and an INSERT: a legacy trigger may yet keep the row from leaving.
    perform set_config('eventward.moving', moving, true);
    return new;
  end if;
  if m = ${CASE.keyChanges} then
    -- The creation on the new stream follows AFTER the update: here it would deadlock with an insert of that key.
    perform set_config('eventward.moved', 'on', true);
  end if;
  if events is not null or was is not null then
    ${append(input, 'was', false)}
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end
`)}`
}

/** SQL of the metadata of a `Deleted`: the stream on which a row goes on that leaves its partition. */
function movedTo({ partitioned }: CaptureInput): string {
  return partitioned
    ? `(select jsonb_build_object('movedTo', other) from eventward.moving(sid, 0) other where other is not null)`
    : 'null'
}

/** plpgsql: where the row leaves its partition, notes that, in the place of what follows. */
function leaving({ partitioned }: CaptureInput, to: string): string {
  if (!partitioned) return ''
  return `moving := case when eventward.leaves_partition(tg_relid, new) then json_build_array(sid, ${to})::text end;
      `
}

function oneEvents(model: BoundModel, mask: Mask): readonly OneEvent[] {
  const now = 'pg_catalog.clock_timestamp()'
  const none = assumedScope(model, { sides: UPDATE, event: null, now })
  const ones = mask.alone.map(({ n, value }): OneEvent => {
    const numbered = none.later.find((each) => each.n === n) as (typeof none.later)[number]
    const scope = assumedScope(model, { sides: UPDATE, event: numbered, now })
    const { type, schemaVersion, data } = laterEvent(scope, numbered)
    const at = numbered.event.bound.length === 0 ? null : boundInstant(scope, numbered)
    return { value, type, schemaVersion, data, at, more: moreSql(scope, numbered) }
  })
  const { type, schemaVersion, data } = changedEvent(none)
  return [...ones, { value: CASE.none, type, schemaVersion, data, at: null, more: 'false' }]
}

/** plpgsql of a branch that makes an event; `dat` stays NULL where it is not this one alone. */
const guarded = (input: CaptureInput, model: BoundModel) => (one: OneEvent) => {
  const left = one.more === 'false' ? 'true' : `not (${one.more})`
  const alone = one.at === null ? left : `at is not null and ${left}`
  return `if m = ${one.value} then
      ${one.value === CASE.none ? noChange(model) : ''}sid := ${idSql(model, 'old')};
      at := ${one.at ?? 'pg_catalog.clock_timestamp()'};
      dat := ${alone === 'true' ? one.data : `case when ${alone} then ${one.data} end`};
      meta := ${metadataSql(input, one.at === null)};
    els`
}

function noChange(model: BoundModel): string {
  return `if not (${changesSql(model, UPDATE)}) then
        return new;
      end if;
      `
}

function insertOne(input: CaptureInput, one: OneEvent): string {
  return `if m = ${one.value} and dat is not null then
    insert into ${partitionSql(input)} (${COLUMNS})
    select ${typeOf(input)}, sid, h.version + 1, ${literal(one.type)}, ${one.schemaVersion}, dat, meta,
      ${one.at === null ? 'greatest(at, h.recorded_at)' : 'at'}
    from (${headSql(input, 'sid')}) h
    where h.type <> ${literal(input.model.residue.deleted)};
    if found then
      return new;
    end if;
  els`
}

function deletedPending(model: BoundModel, metadata: string): string {
  return `array[row(${literal(model.residue.deleted)}, 1, '{}'::jsonb, ${metadata}, moment, true)::eventward.pending]`
}
