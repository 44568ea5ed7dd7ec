// Removes *.d.ts from the folders named. knex takes every .ts file of a directory of migrations for a migration.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

for (const folder of process.argv.slice(2)) {
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.d.ts')) rmSync(join(folder, file))
  }
}
