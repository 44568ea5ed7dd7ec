import { status } from '../inspect/index.js'
import { ledgerStep } from './steps/ledger-step.js'
import { legacySteps } from './steps/legacy-steps.js'
import { captureSteps, cutoverSteps } from './steps/live-steps.js'
import { corruptionSteps, lookSteps, proofStep } from './steps/proof-steps.js'
import { configOf, type DemoContext, type Planned } from './steps/step-context.js'

/** The steps of the demo, each by the very code that its command runs. The writers go on all the while. */
export function demoSteps(context: DemoContext): readonly Planned[] {
  const { database, load } = context
  return [
    ...legacySteps(context),
    ...captureSteps(context),
    proofStep(context, { name: 'verify', says: 'Every row equals the fold of its events, as text, by SQL.' }),
    proofStep(context, { name: 'verify replay', says: 'And by the TypeScript fold.', engine: 'replay' }),
    ...lookSteps(context),
    ...corruptionSteps(context),
    ...cutoverSteps(context),
    {
      name: 'status',
      command: 'eventward status',
      says: 'One line per table. The writers are told to stop.',
      work: async () => {
        const { config } = await configOf(context)
        const tables = await status(database, config)
        await load.pause()
        return { found: { kind: 'status', tables }, problems: [] }
      },
    },
    proofStep(context, { name: 'final', says: 'Nobody writes any more: every row, by SQL.', still: true }),
    proofStep(context, {
      name: 'final replay',
      says: 'And by the TypeScript fold.',
      engine: 'replay',
      still: true,
    }),
    ledgerStep(context),
  ]
}
