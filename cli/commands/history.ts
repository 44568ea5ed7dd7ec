import { type HistoryHead, readHistory } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { wholeNumber } from '../options.js'
import { historyEndText, historyEntryText, historyHeadText } from '../render/history-text.js'

/** `eventward history` */
export const history = command({
  usage: 'history <aggregate> <id>',
  summary: 'The audit log of one row: each event, what it changed, when, who and why',
  examples: [
    ['$0 history Subscription 13', ''],
    ['$0 history Subscription 13 --last 20', 'The latest of a long one'],
    [`$0 history FilmActor 1,23`, 'A key of several columns; or a JSON array of texts'],
  ],
  options: {
    aggregate: { type: 'string', demandOption: true, describe: 'Its name in the configuration' },
    id: { type: 'string', demandOption: true, describe: 'The key' },
    last: wholeNumber('last', 'So many of the latest events only'),
  },
  async run({ aggregate, id, last }, host) {
    const config = await host.config()
    const input = { aggregate, id, ...(last === undefined ? {} : { last: Number(last) }) }
    let end = ''
    await host.withDatabase(config, (database) =>
      readHistory(database, config, input, {
        begin: (head: HistoryHead) => {
          end = historyEndText(head)
          return host.long.begin({ members: { ...head }, list: 'entries', text: historyHeadText(head) })
        },
        entry: (entry) => host.long.item(entry, () => historyEntryText(entry)),
      }),
    )
    return { ok: true, members: {}, text: () => end }
  },
})
