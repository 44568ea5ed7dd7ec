import { plan as planMove } from '../../src/inspect/index.js'
import { command } from '../command.js'
import { TABLES } from '../options.js'
import { planText } from '../render/plan-text.js'

/** `eventward plan` */
export const plan = command({
  usage: 'plan [table..]',
  summary: 'Rows, events, chunks, disk and locks to expect, and what is unsupported and why. Writes nothing',
  examples: [['$0 plan orders', 'In a READ ONLY transaction: the server refuses any write']],
  options: { table: TABLES },
  async run(args, host) {
    const config = await host.config()
    const tables = await host.withDatabase(config, (database) =>
      planMove(database, config, { tables: args.table ?? [] }),
    )
    return { ok: true, members: { tables, readOnly: true }, text: () => planText(tables, host.io.stdout) }
  },
})
