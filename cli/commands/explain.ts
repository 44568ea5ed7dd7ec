import { explain as explainTable } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { TABLE } from '../options.js'
import { explainText } from '../render/explain-text.js'

/** `eventward explain` */
export const explain = command({
  usage: 'explain <table>',
  summary: 'How well the definition explains the data: which values no event explains, in how many rows',
  examples: [['$0 explain subscriptions', 'A sample where there are more than a million rows']],
  options: {
    table: TABLE,
    full: { type: 'boolean', default: false, describe: 'Look at every row, however many' },
  },
  async run({ table, full }, host) {
    const config = await host.config()
    const explained = await host.withDatabase(config, (database) =>
      explainTable(database, config, { table, full }),
    )
    return { ok: true, members: { tables: [explained] }, text: () => explainText(explained) }
  },
})
