import { UsageError } from '../../src/errors/index.js'
import { migrateDown, migrateStatus, migrateUp } from '../../src/migrate/index.js'
import { command, type Outcome } from '../command.js'
import { migrateText, migrationsText } from '../render/migrate-text.js'

/** `eventward migrate up`, `down` and `status` */
export const migrate = command({
  usage: 'migrate <direction>',
  summary: 'Install the schema eventward and the events table, take them back, or say what is installed',
  examples: [
    ['$0 migrate up', 'One process at a time; another one waits'],
    ['$0 migrate down --all', 'Refused where events are stored'],
  ],
  options: {
    direction: { type: 'string', demandOption: true, choices: ['up', 'down', 'status'] },
    all: { type: 'boolean', default: false, describe: 'down: all migrations, not the last one alone' },
  },
  async run({ direction, all }, host) {
    if (all && direction !== 'down') {
      throw new UsageError('EW_USAGE', '--all goes with `migrate down`', { next: 'Leave it out.' })
    }
    const config = await host.config()
    // migrate opens connections of its own; this one says where they go.
    await host.withDatabase(config, async () => undefined, { max: 1 })
    const url = await host.url(config)
    const onWait = (holder: string) => host.notice(`waiting for another process that migrates: ${holder}`)
    const options = { url, events: config.events, onWait }
    switch (direction) {
      case 'up':
        return done(await migrateUp(options))
      case 'down':
        return done(await migrateDown({ ...options, ...(all ? { to: 0 as const } : {}) }))
      default:
        return status(options)
    }
  },
})

function done(result: Awaited<ReturnType<typeof migrateUp>>): Outcome {
  return { ok: true, members: { ...result }, text: () => migrateText(result) }
}

async function status(options: Parameters<typeof migrateStatus>[0]): Promise<Outcome> {
  const result = await migrateStatus(options)
  return { ok: true, members: { ...result }, text: () => migrationsText(result) }
}
