import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type DemoTable, demo, type LoadSummary } from '../../src/demo/index.js'
import { builtCli } from '../support/built.js'
import { until } from '../support/race.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A temporary folder of its own, so that what is left behind can be seen. */
function ownTmp(): string {
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  // Root's server runs as another user.
  chmodSync(folder, 0o755)
  return folder
}

function startDemo(TMPDIR: string, ...options: readonly string[]) {
  const child = spawn(process.execPath, [builtCli(), 'demo', ...options], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out: string[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended, stdout: () => out.join('') }
}

describe('the demo', () => {
  it('ends as it must, as one document, and leaves nothing behind', async () => {
    const tmp = ownTmp()
    const { ended, stdout } = startDemo(tmp, '--json')
    expect(await ended).toBe(0)
    const document = JSON.parse(stdout()) as {
      ok: boolean
      command: string
      tables: readonly DemoTable[]
      load: LoadSummary
      steps: readonly { name: string; problems: readonly string[] }[]
    }
    expect(document).toMatchObject({ v: 1, command: 'demo', ok: true })
    expect(document.steps.flatMap(({ problems }) => problems)).toEqual([])
    expect(document.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['find replay', 'advance', 'commands', 'rollback', 'advance again', 'ledger']),
    )
    const [table] = document.tables
    expect(table).toMatchObject({ table: 'subscriptions', clean: true })
    expect(Number(table?.rows)).toBeGreaterThan(40_000)
    const { load } = document
    expect(load).toMatchObject({ lost: 0, doubled: 0, differ: 0, rowsDiffer: 0, errors: 0 })
    expect(load.locks.map(({ step }) => step)).toEqual(['capture', 'advance', 'rollback', 'advance again'])
    for (const count of [load.writes, load.moments, load.commands, load.refused])
      expect(count).toBeGreaterThan(0)
    expect(load.withoutUs.transactions).toBeGreaterThan(0)
    expect(readdirSync(tmp).filter((name) => name.startsWith('eventward-demo'))).toEqual([])
    rmSync(tmp, { recursive: true })
    // Half a minute alone; other files of a run want the processors as well.
  }, 300_000)

  it('stopped by Ctrl-C ends with 130 and leaves neither files nor a server', async () => {
    const tmp = ownTmp()
    const { child, ended } = startDemo(tmp)
    const file = () => {
      const [folder] = readdirSync(tmp).filter((name) => name.startsWith('eventward-demo'))
      return folder === undefined ? '' : join(tmp, folder, 'data', 'postmaster.pid')
    }
    await until(() => existsSync(file()), { what: 'the server of the demo' })
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(readdirSync(tmp).filter((name) => name.startsWith('eventward-demo'))).toEqual([])
    rmSync(tmp, { recursive: true })
  })

  it('is not begun where it was stopped already', async () => {
    await expect(demo({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'EW_STOPPED' })
  })
})
