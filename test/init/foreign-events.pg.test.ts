import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/index.js'
import { initialise } from '../../src/init/index.js'
import { doctor } from '../../src/inspect/index.js'
import { migrateUp } from '../../src/migrate/index.js'
import { testDatabase } from '../support/database.js'

describe('an application with an events table of its own', () => {
  const db = testDatabase({ migrated: false })

  it('is told so by doctor, and gets a configuration by which ours stands beside it', async () => {
    await db.admin.query('create table public.events (id bigint primary key, created_at timestamp not null)')
    const findings = await doctor(db.database, null)
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: 'stop', message: expect.stringContaining('public.events exists') }),
    )
    const cwd = await mkdtemp(join(tmpdir(), 'eventward-foreign-'))
    await initialise(db.database, { cwd })
    const { events } = await loadConfig(undefined, cwd)
    expect(events).toEqual({ schema: 'public', table: 'eventward_events' })
    expect(await readFile(join(cwd, 'eventward.config.ts'), 'utf8')).toContain('// Assumed:')

    await migrateUp({ url: db.url, events })
    const again = await initialise(db.database, { cwd })
    expect(again.files.map(({ outcome }) => outcome)).toEqual(['same', 'same'])
    expect(again.tables.map(({ table }) => table)).toEqual(['events'])
  })
})
