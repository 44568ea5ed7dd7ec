/** Export and import as a user calls them: masks of the configuration, a pipe, documents. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { builtCli } from '../support/built.js'
import { cliIn } from '../support/cli.js'
import { testDatabase } from '../support/database.js'
import { createStaff, Department, Employee, insertStaff } from './staff.js'
import { expectVerified, rowsOf } from './staging.js'

describe('eventward export and import', () => {
  const source = testDatabase()
  const staging = testDatabase()
  const cli = cliIn(() => source.url)
  const piped = (command: string) =>
    promisify(execFile)('sh', ['-c', command], {
      cwd: cli.cwd,
      env: { PATH: process.env['PATH'], HOME: cli.cwd, DATABASE_URL: source.url },
    })

  beforeAll(async () => {
    for (const { admin } of [source, staging]) await admin.query(createStaff)
    for (const definition of [Department, Employee]) await captureOn(source.database, definition)
    await source.admin.query(insertStaff)
    await cli.json('init', '--yes')
    await config(`masks: { employees: { name: 'hash' } },`)
  })

  /** The definitions under which the events were written, in the place of those that were inferred. */
  async function config(more: string): Promise<void> {
    const staff = new URL('staff.ts', import.meta.url).pathname
    await writeFile(
      join(cli.cwd, 'eventward.config.ts'),
      `import { Department, Employee } from ${JSON.stringify(staff)}
       export default { aggregates: [Department, Employee], ${more} }`,
    )
  }

  it('mask what the configuration and the command line name, and tell it in a document', async () => {
    const { status, document } = await cli.json('export', 'all.jsonl', '--mask', 'departments.name=fixed:d')
    expect({ status, document }).toMatchObject({
      status: 0,
      document: {
        command: 'export',
        ok: true,
        events: expect.stringMatching(/^\d+$/),
        masks: { columns: { employees: { name: 'hash' }, departments: { name: 'fixed:d' } } },
        resumed: false,
      },
    })
    expect(await readFile(join(cli.cwd, 'all.jsonl'), 'utf8')).not.toMatch(/"[de]\d+"/)
  })

  it('refuse masks of a table that the configuration lacks, and a mask that is none', async () => {
    await config(`masks: { employes: { name: 'hash' } },`)
    expect((await cli.json('export', 'x.jsonl')).document.error).toMatchObject({ code: 'EW_CONFIG_INVALID' })
    await config(`masks: { employees: { name: 'md5' } },`)
    expect((await cli.json('export', 'x.jsonl')).document.error).toMatchObject({ code: 'EW_CONFIG_INVALID' })
    await config('')
    const bad = await cli.json('export', 'x.jsonl', '--mask', 'employees.name')
    expect(bad.document.error).toMatchObject({ code: 'EW_MASK' })
    const both = await cli.json('export', '-')
    expect(both.document.error).toMatchObject({ code: 'EW_USAGE' })
  })

  it('stand in a pipe: what is for people goes to stderr, or after the last line', async () => {
    const node = `${process.execPath} ${builtCli()}`
    const { stdout, stderr } = await piped(`${node} export - | ${node} import - --url ${staging.url}`)
    expect(stderr).toContain('nothing is masked')
    expect(stdout).toContain('employees: 120 rows')
    expect(stdout).toContain('next: eventward verify departments employees')
    for (const definition of [Department, Employee])
      expect(await rowsOf(staging.admin, definition)).toEqual(await rowsOf(source.admin, definition))
    await expectVerified(staging.database, [Department, Employee])
    const again = await cli.json('runs', '--url', staging.url)
    expect(again.status).toBe(0)
  })
})
