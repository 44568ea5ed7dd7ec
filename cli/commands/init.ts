import { confirm, isCancel } from '@clack/prompts'
import { StoppedError, UsageError } from '../../src/errors/index.js'
import { type Initialised, initialise } from '../../src/init/index.js'
import { command, type Outcome } from '../command.js'
import type { Host } from '../host.js'
import { splitNames } from '../options.js'
import { initText } from '../render/init-text.js'

/** `eventward init` */
export const init = command({
  usage: 'init',
  summary: 'Infer definitions from the catalog; write eventward.config.ts and eventward.tables.ts',
  examples: [['$0 init --url postgresql://me@localhost/shop --tables orders,customers', 'For two tables']],
  options: {
    schema: { type: 'string', array: true, describe: 'Schemas to look at', defaultDescription: 'public' },
    tables: { type: 'string', array: true, describe: 'Only these tables; commas between' },
    yes: { type: 'boolean', default: false, describe: 'Overwrite files that hold something else' },
  },
  async run(args, host) {
    return host.withDatabase(null, async (database) => {
      const schemas = splitNames(args.schema)
      const tables = splitNames(args.tables)
      const given = { cwd: host.io.cwd, ...(schemas ? { schemas } : {}), ...(tables ? { tables } : {}) }
      const done = await initialise(database, { ...given, overwrite: args.yes })
      if (!done.files.some(({ outcome }) => outcome === 'kept')) return outcomeOf(done)
      if (!(await mayOverwrite(host))) throw kept(done)
      return outcomeOf(await initialise(database, { ...given, overwrite: true }))
    })
  },
})

function outcomeOf(done: Initialised): Outcome {
  const files = done.files.map(({ path, outcome }) => ({ path, outcome }))
  const next = 'eventward migrate up'
  return { ok: true, members: { tables: done.tables, files, next }, text: () => initText(done, next) }
}

/** No terminal, no question: then the answer is no. */
async function mayOverwrite({ io }: Host): Promise<boolean> {
  if (!io.interactive) return false
  const answer = await confirm({
    message: 'eventward.config.ts holds something else. Overwrite it, and eventward.tables.ts?',
    initialValue: false,
    output: io.stderr,
  })
  if (isCancel(answer))
    throw new StoppedError('EW_STOPPED', 'init was stopped', { next: 'Nothing was written.' })
  return answer
}

function kept({ files }: Initialised): UsageError {
  const names = files.filter(({ outcome }) => outcome === 'kept').map(({ path }) => path)
  return new UsageError('EW_FILES_KEPT', `${names.join(', ')}: there already, with another content`, {
    next: 'Nothing was written. Add --yes to overwrite, or run `eventward generate` to refresh the tables alone.',
    details: { files: names },
  })
}
