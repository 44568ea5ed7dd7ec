import { status as readStatus } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { statusText } from '../render/status-text.js'

/** `eventward status` */
export const status = command({
  usage: 'status [table..]',
  summary: 'Every table at a glance: phase, backfill, last verify, open differences, what to do next',
  examples: [['$0 status', '']],
  options: { table: { type: 'string', array: true, describe: 'Only these tables' } },
  async run(args, host) {
    const config = await host.config()
    const tables = await host.withDatabase(config, (database) =>
      readStatus(database, config, args.table ?? []),
    )
    return { ok: true, members: { tables }, text: () => statusText(tables, host.io.stdout) }
  },
})
