import { qualified } from '../ident.js'
import { literal } from '../literal.js'
import type { CaptureInput } from './capture-input.js'
import { modelOfTexts } from './capture-model.js'
import { OUTPUT_SETTINGS } from './output-settings.js'
import { pendingSql } from './pending.js'
import { imageSides } from './sides.js'

/**
 * The cold path: recognise over two images, which were read by the names that the catalog has now. Columns that the
 * definition was not compiled for travel as residue: on a creation in the creating event, else in the last `Changed`.
 *
 * `before_image` NULL: a creation; `existing`: of a row that was there before, dated as the backfill would.
 */
export function compileCold(input: CaptureInput): string {
  const model = modelOfTexts(input.model)
  const known = model.columns.map(({ name }) => literal(name)).join(', ')
  const changed = literal(model.residue.changed)
  return `
create or replace function ${qualified('eventward', input.names.cold)}(
  before_image jsonb, after_image jsonb, moment timestamptz, existing boolean) returns eventward.pending[]
language plpgsql
${OUTPUT_SETTINGS}
as ${literal(`
#variable_conflict use_column
declare
  events eventward.pending[];
  unknown jsonb := eventward.unknown_columns(before_image, after_image, array[${known}]::text[]);
  place integer;
begin
  if before_image is null then
    events := ${pendingSql(model, { sides: imageSides(true), now: 'moment', backfill: 'existing' })};
    place := 1;
  else
    events := ${pendingSql(model, { sides: imageSides(false), now: 'moment' })};
    place := cardinality(events);
    if unknown is not null and (place is null or events[place].type <> ${changed}) then
      events := events || row(${changed}, 1, '{}'::jsonb, null, moment, true)::eventward.pending;
      place := cardinality(events);
    end if;
  end if;
  if unknown is not null then
    events[place].data := events[place].data
      || jsonb_build_object('$residue', coalesce(events[place].data -> '$residue', '{}'::jsonb) || unknown);
  end if;
  return events;
end
`)}`
}
