import { GateError } from '../../src/errors/index.js'
import { doctor as examine, type Finding } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { doctorText } from '../render/doctor-text.js'
import { plural } from '../render/quantity.js'

/** `eventward doctor` */
export const doctor = command({
  usage: 'doctor',
  summary: 'Look for what would stop or disturb a move: rights, settings, old transactions',
  examples: [['$0 doctor --url postgresql://me@db1/shop', 'Before anything is written']],
  options: {},
  async run(args, host) {
    const config = await host.configIfAny()
    const findings = await host.withDatabase(config, (database) => examine(database, config))
    const stops = findings.filter(({ severity }) => severity === 'stop')
    const result = { members: { findings }, text: () => doctorText(findings, host.io.stdout, args.verbose) }
    return stops.length === 0 ? { ok: true, ...result } : { ok: false, ...result, error: refusal(stops) }
  },
})

function refusal(stops: readonly Finding[]): GateError {
  return new GateError('EW_DOCTOR', `${plural(stops.length, 'finding')} would stop a move`, {
    next: 'Each ✗ says what to do; run `eventward doctor` again afterwards.',
    details: { checks: stops.map(({ check }) => check) },
  })
}
