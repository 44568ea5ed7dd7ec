import { resolve } from 'node:path'
import { UsageError } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import { exportEvents, masksFor, parseMask } from '../../src/transfer/index.js'
import { command } from '../command.js'
import { exportText } from '../render/transfer-text.js'

/** `eventward export` */
export const exportCommand = command({
  usage: 'export <file> [table..]',
  summary: 'Write events as JSON lines, in order, as one snapshot sees them, columns masked. Changes nothing',
  examples: [
    ['$0 export all.jsonl', ''],
    ['$0 export users.jsonl users --mask users.email=hash --mask users.phone=null', ''],
    ['$0 export - orders | gzip > orders.jsonl.gz', ''],
  ],
  options: {
    file: { type: 'string', demandOption: true, describe: 'A new file; - for stdout' },
    table: { type: 'string', array: true, describe: 'Tables; all that have events where none is named' },
    mask: {
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
      describe: 'TABLE.COLUMN=null|hash|email|fixed:TEXT, beside the masks of the configuration',
    },
    'mask-metadata': {
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
      describe: 'Members of metadata to hash: user, request.ip',
    },
    since: {
      type: 'string',
      requiresArg: true,
      describe: 'An earlier export: only what it did not see. Not to import',
    },
    resume: { type: 'boolean', default: false, describe: 'Go on with a file that was left unfinished' },
  },
  async run(args, host) {
    const toStdout = args.file === '-'
    if (toStdout && args.json)
      throw new UsageError('EW_USAGE', 'stdout takes either the events or the document of --json', {
        next: 'Name a file, or leave --json out.',
      })
    const config = await host.config()
    const definitions = selectAggregates(config, args.table)
    const salt = host.io.env['EVENTWARD_MASK_SALT']
    const options = {
      out: toStdout ? host.io.stdout : resolve(host.io.cwd, args.file),
      masks: masksFor(definitions, config.masks ?? {}, args.mask.map(parseMask)),
      metadata: args['mask-metadata'],
      ...(salt === undefined ? {} : { salt }),
      ...(args.since === undefined ? {} : { since: resolve(host.io.cwd, args.since) }),
      resume: args.resume,
      installedOnly: (args.table ?? []).length === 0,
      events: config.events,
      signal: host.signal,
      onProgress: (progress: { readonly events: string; readonly total: string }) =>
        host.progress.update({
          table: 'export',
          rows: progress.events,
          total: progress.total,
          estimate: true,
          events: null,
          unit: 'events',
        }),
    }
    const result = await host.withDatabase(
      config,
      (database) => exportEvents(database, definitions, options),
      {
        stopsItself: true,
      },
    )
    if (toStdout) host.notice(exportText(result, host.io.stderr))
    const text = () => (toStdout ? '' : exportText(result, host.io.stdout))
    return { ok: true, members: { ...result }, text }
  },
})
