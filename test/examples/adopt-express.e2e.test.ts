import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { type AppProcess, startApp } from './app-process.js'
import { startCustomers } from './customers.js'
import { httpTests, type Shop, shopAt } from './http-tests.js'

const FOLDER = fileURLToPath(new URL('../../examples/adopt-express/', import.meta.url))
/** Below node_modules, where what a configuration imports is found, and git doesn't look. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

describe('examples/adopt-express and examples/adopt-fastify', () => {
  const db = testDatabase({ migrated: false })
  const cli = cliIn(() => db.url)
  let config = ''
  beforeAll(async () => {
    await db.admin.query(await readFile(`${FOLDER}schema.sql`, 'utf8'))
    config = await asInstalled()
  })
  afterAll(() => rm(config, { recursive: true, force: true }))

  async function eventward(...args: readonly string[]) {
    // In a process of its own: here it would keep the customers waiting.
    const file = join(config, 'eventward.config.ts')
    const result = await cli.spawn(...args, '--config', file, '--json', '--quiet')
    expect(result.status, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0)
    return result.document
  }

  it('are moved while customers write, there and back, and no request fails', async () => {
    let app: AppProcess = await startApp(db.url, 'adopt-express/serve.ts', 'before')
    const shop = shopAt(() => app.base, 'ada')
    await httpTests(shop)

    const offered = await shop.ask('POST', '/rewards', { title: 'A live move', price: 1, places: 1_000_000 })
    const reward = String(offered.body['id'])
    const shops: readonly Shop[] = ['bob', 'eve', 'joe', 'kim'].map((user) => shopAt(() => app.base, user))
    const customers = startCustomers(shops, reward)
    const deploy = async (serve: string, form?: string) => {
      const old = app
      app = await startApp(db.url, serve, form)
      await customers.answered()
      expect([await old.stop(), old.errors()]).toEqual([0, ''])
    }

    await eventward('migrate', 'up')
    await eventward('capture', 'on', '--all')
    await httpTests(shop)
    await eventward('backfill')
    expect((await eventward('verify')).tables).toMatchObject([{ clean: true }, { clean: true }])
    await eventward('cutover', 'rewards', 'advance', '--confirm', 'rewards')
    await eventward('cutover', 'subscriptions', 'advance', '--confirm', 'subscriptions')
    await httpTests(shop)

    await deploy('adopt-express/serve.ts', 'after')
    const { subscription } = await httpTests(shop)
    await customers.answered()
    await deploy('adopt-fastify/serve.ts')
    const onFastify = await httpTests(shop)
    await customers.answered()

    await eventward('cutover', 'subscriptions', 'rollback')
    await eventward('cutover', 'rewards', 'rollback')
    await httpTests(shop)
    await deploy('adopt-express/serve.ts', 'before')
    await httpTests(shop)
    await customers.answered()

    const ledger = await customers.stop()
    expect([await app.stop(), app.errors()]).toEqual([0, ''])
    expect(ledger.failed).toEqual([])
    for (const engine of ['sql', 'replay']) {
      const { tables, differences } = await eventward('verify', '--engine', engine)
      expect(tables).toMatchObject([{ clean: true }, { clean: true }])
      expect(differences).toEqual([])
    }
    await eventward('capture', 'off', '--all')

    expect(await present(reward)).toEqual({
      places: String(1_000_000 - ledger.subscriptions.size),
      subscriptions: [...ledger.subscriptions]
        .map(([id, state]) => ({ id, ...state }))
        .sort((a, b) => Number(a.id) - Number(b.id)),
    })
    // Who, in which request, and what no column holds.
    for (const id of [subscription, onFastify.subscription]) {
      expect(await eventsOf(id)).toEqual([
        { type: 'Created', actor: 'ada', request: 'string', command: 'Subscribe', reason: null },
        { type: 'Activated', actor: 'ada', request: 'string', command: 'Activate', reason: null },
        { type: 'Deactivated', actor: 'ada', request: 'string', command: 'Deactivate', reason: 'moved away' },
      ])
    }
    expect(await sources()).toEqual(['backfill', 'command', 'trigger'])
    // Half a minute alone; other files of a run want the processors as well.
  }, 300_000)

  async function present(reward: string) {
    const { rows } = await db.admin.query<{ id: string }>(
      'select id, status, stripe_key from public.subscriptions where reward_id = $1::bigint order by id',
      [reward],
    )
    const { rows: rewards } = await db.admin.query<{ places: string }>(
      'select places from public.rewards where id = $1::bigint',
      [reward],
    )
    return { places: rewards[0]?.places, subscriptions: rows }
  }

  async function eventsOf(id: string) {
    const { rows } = await db.admin.query(
      `select type, metadata ->> 'actor' as actor, jsonb_typeof(metadata -> 'request') as request,
         metadata ->> 'command' as command, data ->> 'reason' as reason
       from public.events
       where aggregate_type = 'Subscription' and aggregate_id = $1::text
       order by version`,
      [id],
    )
    return rows
  }

  async function sources() {
    const { rows } = await db.admin.query<{ source: string }>(
      `select distinct metadata ->> 'source' as source from public.events order by 1`,
    )
    return rows.map(({ source }) => source)
  }
})

/** The configuration as it is in a project that has eventward from npm. Gives its folder. */
async function asInstalled(): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'adopt-express-'))
  for (const name of ['eventward.config.ts', 'eventward.tables.ts']) {
    const text = await readFile(join(FOLDER, name), 'utf8')
    await writeFile(join(folder, name), text.replace(`'../../src/index.js'`, `'eventward'`))
  }
  return folder
}
