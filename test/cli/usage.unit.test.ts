import { describe, expect, it } from 'vitest'
import { nameOf } from '../../cli/command.js'
import { COMMANDS } from '../../cli/commands/index.js'
import { cli } from './run-cli.js'

const cwd = '/'

describe('help', () => {
  it('lists every command, and says what the exit statuses mean', async () => {
    const { status, stdout } = await cli(['--help'], { cwd })
    expect(status).toBe(0)
    for (const command of COMMANDS) expect(stdout).toContain(`eventward ${nameOf(command)}`)
    expect(stdout).toContain('130 stopped by Ctrl-C')
  })

  it.each(COMMANDS.map(nameOf))('of %s has an example', async (name) => {
    const { status, stdout } = await cli([name, '--help'], { cwd })
    expect(status).toBe(0)
    expect(stdout).toMatch(new RegExp(`Examples:\\n\\s+eventward ${name}`))
  })

  it('is a document with --json', async () => {
    const { status, document } = await cli(['--help', '--json'], { cwd })
    expect(status).toBe(0)
    expect(document()).toMatchObject({ v: 1, command: 'help', ok: true })
  })

  it('tells the version', async () => {
    expect((await cli(['--version'], { cwd })).stdout).toMatch(/^\d+\.\d+\.\d+/)
  })
})

describe('wrong use ends with 2, and one document', () => {
  it.each([
    ['no command', [], /name a command/, ''],
    ['a misspelt command', ['bakfill'], /"bakfill"/, 'Did you mean "backfill"?'],
    ['a misspelt option', ['backfill', '--wrkers', '2'], /"wrkers"/, 'Did you mean "--workers"?'],
    ['an option of another command', ['plan', '--restart'], /"restart"/, ''],
    ['a missing argument', ['explain'], /<table> is missing/, 'eventward explain --help'],
    ['the second of two arguments', ['history', 'OrderItem'], /<id> is missing/, 'eventward history --help'],
    [
      'two arguments',
      ['history', '--last', '3'],
      /<aggregate> and <id> are missing/,
      'eventward history --help',
    ],
    ['an option without its value', ['plan', '--url'], /url/, ''],
    ['a value that is none of the choices', ['verify', '--engine', 'magic'], /magic/, ''],
    ['a number that is none', ['backfill', '--workers', 'many'], /whole number/, ''],
    ['a number below its least', ['backfill', '--workers', '0'], /whole number/, ''],
    ['a direction that is none', ['migrate', 'sideways'], /sideways/, ''],
  ])('%s', async (_, argv, what, hint) => {
    const { status, stdout, stderr } = await cli(argv, { cwd })
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^EW_USAGE /)
    expect(stderr).toMatch(what)
    expect(stderr).toContain(hint)
    expect(stderr).not.toMatch(/\n\s+at /)

    const told = await cli([...argv, '--json'], { cwd })
    expect(told.status).toBe(2)
    expect(told.document()).toMatchObject({ v: 1, ok: false, error: { code: 'EW_USAGE' } })
  })

  it('names the command that was meant', async () => {
    expect((await cli(['backfill', '--nope', '--json'], { cwd })).document().command).toBe('backfill')
  })
})

describe('a defect of ours', () => {
  it('is a document too, with status 3', async () => {
    const broken = { ...COMMANDS[0]!, run: () => Promise.reject(new TypeError('x is not a function')) }
    const { run } = await import('../../cli/run.js')
    const lines: string[] = []
    const stream = { write: (text: string) => lines.push(text) } as never
    const io = { stdout: stream, stderr: { write: () => true } as never, interactive: false, env: {}, cwd }
    expect(await run(['demo', '--json'], io, [broken])).toBe(3)
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0]!)).toMatchObject({ command: 'demo', ok: false, error: { code: 'EW_DEFECT' } })
  })
})
