/** kill -9 in the middle of an export or an import; and run again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { exportEvents, importEvents } from '../../src/transfer/index.js'
import { builtScript } from '../support/built.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { createStaff, Department, Employee, insertStaff } from './staff.js'
import { eventsOf, expectVerified, rowsOf } from './staging.js'

const SCRIPT = builtScript('transfer-process.ts', import.meta.url)
const DEFINITIONS = [Department, Employee]

async function killedAt(url: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, url, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal, 'it came to that point').toBe('SIGKILL')
}

describe('a process that is killed (kill -9)', () => {
  const source = testDatabase()
  let folder = ''
  const path = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
    await source.admin.query(createStaff)
    for (const definition of DEFINITIONS) await captureOn(source.database, definition)
    await source.admin.query(insertStaff)
    await exportEvents(source.database, DEFINITIONS, { out: path('clean') })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([1, 5, 9])('ahead of page %i of an export, goes on to the same lines', async (nth) => {
    const out = path(`export-${nth}`)
    await killedAt(source.url, 'export', out, 'order by e.position', String(nth))
    await expect(importEvents(source.database, DEFINITIONS, { from: out })).rejects.toMatchObject({
      code: 'EW_EXPORT_UNREADABLE',
    })
    const { resumed } = await exportEvents(source.database, DEFINITIONS, { out, resume: true, pageSize: 20 })
    expect(resumed).toBe(true)
    const lines = async (name: string) => (await readFile(name, 'utf8')).split('\n').slice(1, -2)
    expect(await lines(out)).toEqual(await lines(path('clean')))
  })

  describe.each([
    ['ahead of its first line', 'json_array_elements', 1],
    ['with lines that are not committed', 'set planned_to', 4],
    ['between two batches of lines', 'json_array_elements', 5],
    ['before the first row', 'analyze', 1],
    ['with rows that are not committed', 'set planned_to', 18],
    ['between two pages of rows', 'filled as', 6],
    ['in the midst of references', 'update "public"."employees"', 3],
    ['ahead of the sequences', 'setval', 1],
    ['between two sequences', 'setval', 2],
    ['ahead of its last commit', 'outcome', 1],
  ] as const)('an import, %s', (_, text, nth) => {
    const staging = testDatabase()

    it('goes on to the very events and rows, once', async () => {
      await staging.admin.query(createStaff)
      await killedAt(staging.url, 'import', path('clean'), text, String(nth))
      await until(async () => {
        const { rows } = await staging.admin.query<{ n: string }>(
          `select count(*) as n from pg_stat_activity where application_name = 'eventward-child' and datname = current_database()`,
        )
        return rows[0]?.n === '0'
      })
      const result = await importEvents(staging.database, DEFINITIONS, { from: path('clean'), pageSize: 20 })
      expect(result).toMatchObject({ resumed: true })
      expect(await eventsOf(staging.admin)).toEqual(await eventsOf(source.admin))
      for (const definition of DEFINITIONS)
        expect(await rowsOf(staging.admin, definition)).toEqual(await rowsOf(source.admin, definition))
      await expectVerified(staging.database, DEFINITIONS)
      const { rows } = await staging.admin.query(`
        with d as (insert into public.departments (name, head_id) values ('new', null) returning id),
          e as (insert into public.employees (department_id, name) values (1, 'new') returning id)
        select d.id as department, e.id as employee from d, e`)
      // The 122nd: the last one was deleted, and its stream stays its own.
      expect(rows).toEqual([{ department: '301', employee: '122' }])
    })
  })
})
