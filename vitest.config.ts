import { defineConfig } from 'vitest/config'

/** `unit` needs no server; `pg` starts one of its own (EVENTWARD_TEST_PG=15 for that version). */
export default defineConfig({
  test: {
    // Much of a test is waiting for the server: one file a core leaves both half idle.
    maxWorkers: 3,
    projects: [
      // Nothing is kept in modules but what is known of an object: a process takes one file after another, and imports once.
      {
        test: { name: 'unit', include: ['test/**/*.unit.test.ts'], testTimeout: 30_000, isolate: false },
      },
      {
        test: {
          name: 'pg',
          include: ['test/**/*.{pg,race,e2e}.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          isolate: false,
        },
      },
    ],
  },
})
