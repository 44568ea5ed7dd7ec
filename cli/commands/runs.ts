import { run as readRun, runs as readRuns } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { wholeNumber } from '../options.js'
import { runsText, runText } from '../render/runs-text.js'

/** `eventward runs` */
export const runs = command({
  usage: 'runs [id]',
  summary: 'Receipts: who ran what, when, with which definition, and how it ended',
  examples: [['$0 runs 12', 'One of them, in full']],
  options: {
    id: { type: 'string', describe: 'A run' },
    limit: { ...wholeNumber('limit', 'How many, the latest first'), default: 20 },
  },
  async run({ id, limit }, host) {
    const config = await host.config()
    return host.withDatabase(config, async (database) => {
      if (id !== undefined) {
        const found = await readRun(database, config, id)
        return { ok: true, members: { run: found }, text: () => runText(found) }
      }
      const found = await readRuns(database, config, Number(limit))
      return { ok: true, members: { runs: found }, text: () => runsText(found) }
    })
  },
})
