import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { shellWord } from '../../src/errors/index.js'
import { type ImportProgress, importEvents } from '../../src/transfer/index.js'
import { command } from '../command.js'
import { importText } from '../render/transfer-text.js'

/** `eventward import` */
export const importCommand = command({
  usage: 'import <file>',
  summary:
    'Append the events of an export on an empty database and make its rows of them. Run again, it goes on where it was',
  examples: [
    ['$0 import all.jsonl --url postgres://localhost/staging', ''],
    ['gunzip -c all.jsonl.gz | $0 import -', ''],
  ],
  options: {
    file: {
      type: 'string',
      demandOption: true,
      describe: 'What `export` has written; - for stdin',
    },
    'allow-triggers': {
      type: 'boolean',
      default: false,
      describe: "Let the tables' own triggers and rules act on what is imported",
    },
  },
  async run(args, host) {
    const config = await host.config()
    const options = {
      from: args.file === '-' ? (host.io.stdin ?? Readable.from([])) : resolve(host.io.cwd, args.file),
      allowTriggers: args['allow-triggers'],
      events: config.events,
      signal: host.signal,
      onProgress: ({ step, table, done, total }: ImportProgress) =>
        host.progress.update({
          table: table ?? 'import',
          rows: done,
          total,
          estimate: step === 'links',
          events: null,
          unit: step === 'rows' ? 'streams' : step === 'links' ? 'references' : 'events',
        }),
    }
    const result = await host.withDatabase(
      config,
      (database) => importEvents(database, config.aggregates, options),
      { stopsItself: true },
    )
    const next = `eventward verify ${result.tables.map(({ table }) => shellWord(table)).join(' ')}`
    return { ok: true, members: { ...result, next }, text: () => importText(result, next, host.io.stdout) }
  },
})
