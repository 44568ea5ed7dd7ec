import type { TestProject } from 'vitest/node'
import { migrateUp } from '../../src/migrate/index.js'
import { build } from './build.js'
import { startTestServer } from './test-server.js'
import { textClient } from './text-client.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the maintenance database, as superuser. */
    serverUrl: string
    /** The folder in which the command line is built. */
    built: string
  }
}

/** The database which `testDatabase()` clones: our migrations, nothing else. */
export const TEMPLATE = 'eventward_template'

/** One server per run, with the template; stopped and removed at the end, also when a test failed. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const built = await build()
  const server = await startTestServer()
  const end = async () => {
    await Promise.all([server.stop(), built.remove()])
  }
  try {
    const admin = await textClient(server.url)
    await admin.query(`create database ${TEMPLATE}`)
    await admin.end()
    const template = new URL(server.url)
    template.pathname = TEMPLATE
    await migrateUp({ url: template.href, events: { schema: 'public', table: 'events' } })
  } catch (error) {
    await end()
    throw error
  }
  project.provide('serverUrl', server.url)
  project.provide('built', built.folder)
  return end
}
