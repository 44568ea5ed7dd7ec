import { show as showRow } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { showText } from '../render/show-text.js'

/** `eventward show` */
export const show = command({
  usage: 'show <aggregate> <id>',
  summary: 'The row as its events have it, now or at a version or time',
  examples: [
    ['$0 show Subscription 13 --at 2', 'After its second event'],
    ["$0 show Subscription 13 --at '2018-03-01'", 'On a day (UTC where no zone is named)'],
  ],
  options: {
    aggregate: { type: 'string', demandOption: true, describe: 'Its name in the configuration' },
    id: { type: 'string', demandOption: true, describe: 'The key' },
    at: { type: 'string', requiresArg: true, describe: 'A version or a time' },
  },
  async run({ aggregate, id, at }, host) {
    const config = await host.config()
    const shown = await host.withDatabase(config, (database) =>
      showRow(database, config, { aggregate, id, at }),
    )
    return { ok: true, members: { ...shown }, text: () => showText(shown) }
  },
})
