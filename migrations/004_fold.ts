import { recordedMigration } from '../src/migrate/recorded-migration.js'
import { runDdl } from '../src/migrate/run-ddl.js'

/** The aggregate by which the set-based fold merges what the events of a stream set. */
export const { up, down } = recordedMigration('004_fold', {
  async up(knex) {
    await runDdl(
      knex,
      `
-- The transition function is strict and there is no initial state: the first value is taken as it is, NULLs are passed
-- over, and a stream of one event costs no merge.
create aggregate eventward.jsonb_cat(jsonb) (
  sfunc = pg_catalog.jsonb_concat,
  stype = jsonb
);
comment on aggregate eventward.jsonb_cat(jsonb) is 'Merges objects in the order in which they come: later members win';
`,
    )
  },

  // It holds nothing.
  async down(knex) {
    await runDdl(knex, 'drop aggregate eventward.jsonb_cat(jsonb)')
  },
})
