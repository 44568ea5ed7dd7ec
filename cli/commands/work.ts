import type { LoadedConfig } from '../../src/config/index.js'
import { applicationKnex } from '../../src/db/index.js'
import { GateError, StoppedError, UsageError } from '../../src/errors/index.js'
import {
  attachProjections,
  type ProjectionRound,
  projectionRunner,
  projectionsOf,
} from '../../src/project/index.js'
import {
  discardJobs,
  dispatcherOf,
  failedJobs,
  reactionWorker,
  reactorStatus,
  resetConsumer,
  retryJobs,
} from '../../src/react/index.js'
import { command, type Outcome } from '../command.js'
import type { Host } from '../host.js'
import { wholeNumber } from '../options.js'
import { jobsText, reactorsText, tallyText, WorkTally, workLine } from '../render/work-text.js'

const ACTIONS = ['run', 'failed', 'retry', 'discard', 'status', 'reset'] as const

/** `eventward work` */
export const work = command({
  usage: 'work [action] [what..]',
  summary:
    'Call asynchronous reactors and write projections; `failed`, `retry` and `discard` their jobs, `status` and `reset` of reactors',
  examples: [
    ['$0 work', 'Until Ctrl-C or SIGTERM, when jobs under way are ended; as many processes as you like'],
    ['$0 work --once', 'What is there to do by now, and no more'],
    ['$0 work failed', 'Jobs that were given up'],
    ['$0 work retry 17', 'Or --all'],
    ['$0 work discard 17', 'The reactor never gets this event'],
  ],
  options: {
    action: { type: 'string', choices: ACTIONS, default: 'run' },
    what: { type: 'string', array: true, describe: 'Ids of jobs; for reset, reactors' },
    once: { type: 'boolean', default: false, describe: 'End when nothing is left to do' },
    all: {
      type: 'boolean',
      default: false,
      describe: 'retry: all that were given up; failed: also those that are tried again',
    },
    concurrency: { ...wholeNumber('concurrency', 'Jobs at once; 4 where none is given') },
  },
  async run(args, host) {
    const config = await host.config()
    const what = args.what ?? []
    switch (args.action) {
      case 'failed':
        return ask(host, config, async (session) => {
          const jobs = await failedJobs(session, { all: args.all })
          return { ok: true, members: { jobs }, text: () => jobsText(jobs) }
        })
      case 'status':
        return ask(host, config, async (session) => {
          const reactors = await reactorStatus(session)
          return { ok: true, members: { reactors }, text: () => reactorsText(reactors) }
        })
      case 'retry':
      case 'discard': {
        const { action } = args
        if (args.all === what.length > 0 || (args.all && action === 'discard')) {
          throw usage(action, action === 'retry' ? 'Name jobs, or write --all.' : 'Name jobs.')
        }
        const change = action === 'retry' ? retryJobs : discardJobs
        return ask(host, config, async (session) => {
          const jobs = await (args.all ? retryJobs(session, 'all') : change(session, numbers(action, what)))
          const said = action === 'retry' ? 'tried again' : 'discarded'
          return { ok: true, members: { jobs }, text: () => `${jobs.length} ${said}` }
        })
      }
      case 'reset':
        return reset(host, config, what)
      default:
        return run(host, config, { once: args.once, concurrency: Number(args.concurrency ?? 4) })
    }
  },
})

type Ask = Parameters<Parameters<Parameters<Host['withDatabase']>[1]>[0]['session']>[0]

function ask(host: Host, config: LoadedConfig, question: (...args: Parameters<Ask>) => Promise<Outcome>) {
  return host.withDatabase(config, (database) => database.session(question), { max: 1 })
}

async function reset(host: Host, config: LoadedConfig, names: readonly string[]): Promise<Outcome> {
  if (names.length === 0) throw usage('reset', 'Name reactors.')
  const knex = applicationKnex({ url: await host.url(config), applicationName: 'eventward work' })
  try {
    return await host.withDatabase(config, async () => {
      for (const name of names) await resetConsumer(knex, config.events, name)
      const text = () => `${names.join(', ')}: goes on with what comes from now on`
      return { ok: true, members: { reactors: names }, text }
    })
  } finally {
    await knex.destroy()
  }
}

interface RunOptions {
  readonly once: boolean
  readonly concurrency: number
}

async function run(host: Host, config: LoadedConfig, { once, concurrency }: RunOptions): Promise<Outcome> {
  const dispatcher = dispatcherOf(config.dispatcher)
  const projections = projectionsOf(config.projections ?? [])
  if (dispatcher === null && projections.length === 0) {
    throw new UsageError('EW_NO_WORK', 'the configuration has neither a dispatcher nor projections', {
      next: 'Write `dispatcher: defineDispatcher(...)`, or projections: [...].',
    })
  }
  const url = await host.url(config)
  const knex = applicationKnex({ url, applicationName: 'eventward work', max: concurrency + 2 })
  const detach = attachProjections(knex, projections)
  const tally = new WorkTally()
  const rounds = (all: readonly ProjectionRound[]) => {
    for (const line of tally.rounds(all)) host.notice(line)
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([host.signal, stop.signal])
  try {
    return await host.withDatabase(
      config,
      async () => {
        const runner =
          projections.length === 0 ? null : projectionRunner({ knex, projections, signal, onRound: rounds })
        const worker =
          dispatcher === null
            ? null
            : await reactionWorker({
                url,
                dispatcher,
                aggregates: config.aggregates,
                knex,
                concurrency,
                signal,
                on: (happened) => {
                  tally.happened(happened)
                  const line = workLine(happened)
                  if (line !== null) host.notice(line)
                },
              })
        try {
          if (once) {
            await worker?.once()
            rounds((await runner?.once()) ?? [])
          } else {
            host.notice(
              `${tally.begun(dispatcher?.reactors.length ?? 0, projections.length)} · Ctrl-C ends it`,
            )
            // Where one of the two can't go on, the other ends as well: whoever watches the process starts it anew.
            const ending = <T>(part: Promise<T> | undefined) => part?.finally(() => stop.abort())
            await Promise.all([ending(worker?.run()), ending(runner?.run())])
          }
        } finally {
          await worker?.close()
        }
        return outcome(tally, once && host.signal.aborted)
      },
      { max: 1, stopsItself: true },
    )
  } finally {
    detach()
    await knex.destroy()
  }
}

function outcome(tally: WorkTally, stopped: boolean): Outcome {
  if (stopped)
    throw new StoppedError('EW_STOPPED', 'work --once was stopped before all was done', {
      next: 'What is done is kept: run it again to go on.',
    })
  const result = { members: tally.members(), text: () => tallyText(tally) }
  const failure = tally.failure()
  if (failure === null) return { ok: true, ...result }
  return {
    ok: false,
    ...result,
    error: new GateError('EW_WORK_FAILED', failure.message, { next: failure.next }),
  }
}

function numbers(action: string, given: readonly string[]): readonly string[] {
  const wrong = given.find((id) => !/^\d{1,18}$/.test(id))
  if (wrong !== undefined) throw usage(action, `${wrong} is no id of a job: see \`eventward work failed\`.`)
  return given
}

function usage(action: string, next: string): UsageError {
  return new UsageError('EW_USAGE', `work ${action} of what?`, { next })
}
