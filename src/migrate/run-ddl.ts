import type { Knex } from 'knex'

/**
 * Runs statements without parameters, as they are. knex reads every `?` of a raw text as a binding, in quoted names and
 * function bodies too; so the text itself travels as a binding, and the server executes it.
 */
export async function runDdl(knex: Knex, text: string): Promise<void> {
  await knex.raw(`select pg_catalog.set_config('eventward.ddl', ?::text, true)`, [text])
  await knex.raw(
    `do $do$ begin execute pg_catalog.current_setting('eventward.ddl'); perform pg_catalog.set_config('eventward.ddl', '', true); end $do$`,
  )
}
