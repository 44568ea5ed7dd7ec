import { demo as runDemo } from '../../src/demo/index.js'
import { command } from '../command.js'
import { demoStepText, demoText } from '../render/demo-text.js'

/** `eventward demo` */
export const demo = command({
  usage: 'demo',
  summary: 'The whole move of a table of 50,000 rows, on a PostgreSQL of its own. Touches nothing of yours',
  examples: [['$0 demo', 'Some 15 seconds']],
  options: {},
  async run(args, host) {
    const { io, signal } = host
    const result = await runDemo({
      signal,
      onStep: (step) => {
        if (!args.json && !args.quiet) io.stdout.write(`${demoStepText(step, io.stdout)}\n`)
      },
    })
    const { ok, error, ...members } = result
    return { ok, members, text: () => demoText(result), ...(error === undefined ? {} : { error }) }
  },
})
