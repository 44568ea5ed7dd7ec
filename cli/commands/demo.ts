import { demo as runDemo } from '../../src/demo/index.js'
import { command } from '../command.js'
import { demoStepText, demoText } from '../render/demo-text.js'

/** `eventward demo` */
export const demo = command({
  usage: 'demo',
  summary: 'The whole move of a table of 50,000 rows, there and back, under load, on a PostgreSQL of its own',
  examples: [['$0 demo', 'Some 30 seconds; touches nothing of yours']],
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
