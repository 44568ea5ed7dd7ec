import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'

describe('lint on the command line', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
    for (const args of [['init', '--yes'], ['backfill']]) expect((await cli.json(...args)).status).toBe(0)
  })

  it('ends with 0 where there is no error, and with 1 where stored events have no code that reads them', async () => {
    const fine = await cli.json('lint')
    expect({ status: fine.status, ok: fine.document.ok }).toEqual({ status: 0, ok: true })

    const path = join(cli.cwd, 'eventward.config.ts')
    const text = await readFile(path, 'utf8')
    expect(text).toContain('Activated: {')
    await writeFile(path, text.replace('Activated: {', 'Activated: { schemaVersion: 2,'))
    const { status, document } = await cli.json('lint', 'subscriptions')
    expect(status).toBe(1)
    expect(document).toMatchObject({
      v: 1,
      command: 'lint',
      ok: false,
      error: { code: 'EW_LINT', details: { rules: ['stored_version'] } },
    })
    const { findings } = document as unknown as { findings: readonly Record<string, unknown>[] }
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'error',
        rule: 'stored_version',
        table: 'subscriptions',
        event: 'Activated',
        next: expect.stringContaining('upcast'),
      }),
    )

    await writeFile(
      path,
      text.replace('Activated: {', 'Activated: { schemaVersion: 2, upcast: { 1: { rename: {} } },'),
    )
    expect((await cli.json('lint')).status).toBe(0)
  })
})
