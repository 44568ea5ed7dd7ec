import { GateError } from '../../src/errors/index.js'
import { type LintFinding, lint as look } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { TABLES } from '../options.js'
import { lintText } from '../render/lint-text.js'
import { plural } from '../render/quantity.js'

/** `eventward lint` */
export const lint = command({
  usage: 'lint [table..]',
  summary: 'Look at the definitions: names, events that overlap, stored versions that no code reads',
  examples: [['$0 lint --json', 'Exit status 1 where there is an error: in CI, after a deploy to staging']],
  options: { table: TABLES },
  async run(args, host) {
    const config = await host.config()
    const findings = await host.withDatabase(config, (database) => look(database, config, args.table))
    const errors = findings.filter(({ level }) => level === 'error')
    const result = { members: { findings }, text: () => lintText(findings, host.io.stdout) }
    return errors.length === 0 ? { ok: true, ...result } : { ok: false, ...result, error: refusal(errors) }
  },
})

function refusal(errors: readonly LintFinding[]): GateError {
  return new GateError('EW_LINT', `${plural(errors.length, 'error')} in the definitions`, {
    next: 'Each ✗ says what to do; run `eventward lint` again afterwards.',
    details: { rules: [...new Set(errors.map(({ rule }) => rule))] },
  })
}
