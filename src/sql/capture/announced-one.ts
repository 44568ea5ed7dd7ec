import type { BoundModel } from '../../definition/index.js'
import { literal } from '../literal.js'
import { CASE } from './classify.js'
import { idSql, imageTexts } from './general-sql.js'

/**
 * A command's write of one event, where no legacy trigger has changed the row on the way: most of them. Anything else about
 * the announcement is left to the general code.
 */
export function announcedOne(model: BoundModel): string {
  return `begin
        said := current_setting('eventward.announced', true)::jsonb;
        sid := ${idSql(model, 'old')};
        if said ->> 'type' = ${literal(model.name)} and said ->> 'id' = sid and sid = ${idSql(model, 'new')}
          and jsonb_typeof(said -> 'events') = 'array' and said -> 'events' -> 1 is null
          and said -> 'image' = ${imageTexts(model)} then
          dat := said -> 'events' -> 0;
          at := (dat ->> 'occurredAt')::timestamptz;
          last_version := (dat ->> 'schemaVersion')::integer;
          if dat ->> 'type' is not null and last_version is not null and at is not null then
            m := ${CASE.announcedOne};
          end if;
        end if;
      exception when others then
        m := ${CASE.announced};
      end;
      if m = ${CASE.announced} then
        said := null;
      end if;`
}
