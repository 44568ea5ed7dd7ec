import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createSubscriptions } from '../support/subscription.js'
import { manySubscriptions } from '../support/subscription-rows.js'

describe('adopt on the command line', () => {
  const db = testDatabase()
  const cli = cliIn(() => db.url)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(manySubscriptions(1, 9))
    for (const args of [['init', '--yes'], ['capture', 'on', 'subscriptions'], ['backfill']])
      expect((await cli.json(...args)).status).toBe(0)
    await db.admin.query(`
      alter table subscriptions add column origin text not null default 'web';
      alter table subscriptions rename column reward_id to prize_id;
      insert into subscriptions (id, user_id, prize_id, status, created_at, origin) values (50, 1, 2, 'unpaid', now(), 'app');`)
  })

  const rename = async () => {
    const path = join(cli.cwd, 'eventward.config.ts')
    const text = await readFile(path, 'utf8')
    expect(text).toContain('reward_id')
    // The attribute keeps its name; only its column is another one.
    const data = /data: \[([^\]]*)\]/.exec(text)?.[1] ?? ''
    const names = data.split(',').map((name) => name.trim().replaceAll("'", ''))
    const members = names
      .filter((name) => name !== '')
      .map((name) => `${name}: '${name === 'reward_id' ? 'prize_id' : name}'`)
    await writeFile(path, text.replace(`data: [${data}]`, `data: { ${members.join(', ')} }`))
  }

  it('says how the definition must be changed first', async () => {
    const refused = await cli.json('adopt', 'subscriptions')
    expect(refused.status).toBe(2)
    expect(refused.document.error).toMatchObject({
      code: 'EW_ADOPT_DEFINITION',
      next: expect.stringContaining(`reward_id: 'prize_id'`),
    })
    expect((await cli.json('generate')).status).toBe(0)
    await rename()
  })

  it('shows what it would adopt', async () => {
    const { stdout, status } = await cli.spawn('adopt', 'subscriptions', '--dry-run')
    expect(status).toBe(0)
    expect(stdout).toContain('reward_id renamed prize_id')
    expect(stdout).toContain('origin added: rows that were there have "web"')
    expect(await cli.json('verify', 'subscriptions')).toMatchObject({
      status: 1,
      document: { error: { next: expect.stringContaining('eventward adopt subscriptions') } },
    })
  })

  it('adopts it, and a full verify by both engines is clean', async () => {
    const { document, status } = await cli.json('adopt', 'subscriptions')
    expect({ status, table: document.tables[0] }).toMatchObject({
      status: 0,
      table: { table: 'subscriptions', capture: 'replaced', next: 'eventward verify subscriptions' },
    })
    for (const engine of ['sql', 'replay'])
      expect(await cli.json('verify', 'subscriptions', '--engine', engine)).toMatchObject({ status: 0 })
    const again = await cli.spawn('adopt', 'subscriptions')
    expect(again.stdout).toContain('nothing to adopt')
  })

  it('is asked what rows got where the catalog does not tell', async () => {
    await db.admin.query('alter table subscriptions add column token uuid default gen_random_uuid()')
    expect((await cli.json('generate')).status).toBe(0)
    expect((await cli.json('adopt', 'subscriptions')).document.error?.code).toBe('EW_DEFAULT_UNKNOWN')
    expect((await cli.json('adopt', 'subscriptions', '--default', 'token')).status).toBe(0)
    expect((await cli.json('verify', 'subscriptions', '--repair')).status).toBe(0)
    expect((await cli.json('verify', 'subscriptions')).status).toBe(0)
  })
})
