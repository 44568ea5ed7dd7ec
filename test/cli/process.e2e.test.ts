import { spawn } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { builtCli } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createSubscriptions, insertSubscriptions } from '../support/subscription.js'
import { cli, project } from './run-cli.js'

/** The program itself, in a process of its own. */
function start(argv: readonly string[], cwd: string) {
  const { DATABASE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, [builtCli(), ...argv], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString()
    })
  }
  const status = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, status, texts }
}

describe('the program', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
    await db.admin.query(insertSubscriptions)
  })

  it('takes no harm from a reader that closes its pipe', async () => {
    const { child, status, texts } = start(['--help'], '/')
    child.stdout.destroy()
    expect(await status).toBe(0)
    expect(texts.stderr).toBe('')
  })

  it('reads DATABASE_URL from --env-file', async () => {
    const cwd = await project({ 'db.env': `DATABASE_URL=${db.url}\n` })
    const { status, texts } = start(['init', '--env-file', 'db.env', '--json'], cwd)
    expect(await status, texts.stderr).toBe(0)
    expect(JSON.parse(texts.stdout)).toMatchObject({ command: 'init', ok: true })
  })

  it.each(['explain', 'backfill', 'verify'])(
    '%s that waits for a lock ends with 130 at the first Ctrl-C',
    async (command) => {
      const cwd = await project()
      await cli(['init', '--url', db.url], { cwd })
      const blocker = await db.client()
      await blocker.query('begin; lock table public.subscriptions in access exclusive mode')
      const { child, status, texts } = start([command, 'subscriptions', '--url', db.url, '--json'], cwd)
      const name = `eventward ${command}`
      const isWaiting = async () => {
        const { rows } = await db.admin.query(
          `select from pg_catalog.pg_stat_activity where application_name = $1 and datname = $2
             and cardinality(pg_catalog.pg_blocking_pids(pid)) > 0`,
          [name, db.name],
        )
        return rows.length > 0
      }
      await until(isWaiting, { what: `${name} to wait for the lock`, withinMs: 60_000 })
      child.kill('SIGINT')
      expect(await status).toBe(130)
      expect(JSON.parse(texts.stdout)).toMatchObject({ command, ok: false, error: { code: 'EW_STOPPED' } })
      expect(texts.stderr).toContain('stopping; once more to end at once')
      await blocker.query('rollback')
    },
  )
})
