/**
 * A process of its own in which a project's knex migrates: `tsx knex-process.ts URL latest DIRECTORY...`. Prints the
 * names of what ran. In a process, since knex imports the files of a directory by itself, past the test runner.
 */
import createKnex from 'knex'

const [, , connection = '', command, ...directory] = process.argv
const knex = createKnex({
  client: 'pg',
  connection,
  migrations: { directory, loadExtensions: ['.ts', '.cjs'] },
})
try {
  const [, ran] = await (command === 'latest' ? knex.migrate.latest() : knex.migrate.rollback())
  process.stdout.write(JSON.stringify(ran))
} finally {
  await knex.destroy()
}
