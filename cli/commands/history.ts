import { history as readHistory } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { historyText } from '../render/history-text.js'

/** `eventward history` */
export const history = command({
  usage: 'history <aggregate> <id>',
  summary: 'The audit log of one row: each event, what it changed, when, and who',
  examples: [
    ['$0 history Subscription 13', ''],
    [`$0 history FilmActor 1,23`, 'A key of several columns; or a JSON array of texts'],
  ],
  options: {
    aggregate: { type: 'string', demandOption: true, describe: 'Its name in the configuration' },
    id: { type: 'string', demandOption: true, describe: 'The key' },
  },
  async run({ aggregate, id }, host) {
    const config = await host.config()
    const found = await host.withDatabase(config, (database) =>
      readHistory(database, config, { aggregate, id }),
    )
    return { ok: true, members: { ...found }, text: () => historyText(found) }
  },
})
