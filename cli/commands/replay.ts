import { applicationKnex } from '../../src/db/index.js'
import { dropOld, replay as replayProjection, selectProjection } from '../../src/project/index.js'
import { command } from '../command.js'
import { droppedText, replayText } from '../render/replay-text.js'

/** `eventward replay` */
export const replay = command({
  usage: 'replay <projection>',
  summary:
    'Build a projection anew beside the one that is read, while events come in, then show the new one. Goes on where it was',
  examples: [
    ['$0 replay subscriptions_per_reward', ''],
    ['$0 replay subscriptions_per_reward --drop-old', 'Removes the table that was shown before'],
  ],
  options: {
    projection: { type: 'string', demandOption: true, describe: 'A projection of the configuration' },
    'drop-old': {
      type: 'boolean',
      default: false,
      describe: 'Only remove the table that the last replay has replaced',
    },
  },
  async run(args, host) {
    const config = await host.config()
    const projection = selectProjection(config.projections ?? [], args.projection)
    const url = await host.url(config)
    const knex = applicationKnex({ url, applicationName: 'eventward replay', max: 2 })
    try {
      return await host.withDatabase(
        config,
        async () => {
          if (args['drop-old']) {
            const dropped = await dropOld(knex, projection)
            const members = { projection: projection.name, dropped }
            return { ok: true, members, text: () => droppedText(projection.name, dropped, host.io.stdout) }
          }
          const result = await replayProjection(knex, projection, {
            lockTimeoutMs: config.lockTimeoutMs,
            signal: host.signal,
            onProgress: host.progress.update,
            onRetry: (attempt, why) => host.notice(`try ${attempt}: ${why}`),
          })
          const members = { ...result }
          return { ok: true, members, text: () => replayText(result, host.io.stdout) }
        },
        { stopsItself: true },
      )
    } finally {
      await knex.destroy()
    }
  },
})
