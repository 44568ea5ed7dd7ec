import { shellWord } from '../../src/errors/index.js'
import type { ProjectionRound } from '../../src/project/index.js'
import type { FailedJob, ReactorStatus, WorkerEvent } from '../../src/react/index.js'
import { plural } from './quantity.js'
import { table } from './table.js'

interface ProjectionTally extends Pick<ProjectionRound, 'events' | 'state' | 'error'> {
  /** What was told of it last. */
  readonly said: string
}

/** What a worker has done, by reactor and projection. */
export class WorkTally {
  readonly #reactors = new Map<string, { enqueued: number; done: number; failed: number; givenUp: number }>()
  readonly #projections = new Map<string, ProjectionTally>()
  /** Reactors for which the log could not be read, and why. */
  readonly #unread = new Map<string, string>()

  begun(reactors: number, projections: number): string {
    return `at work: ${plural(reactors, 'reactor')}, ${plural(projections, 'projection')}`
  }

  happened(happened: WorkerEvent): void {
    if (happened.kind === 'unread') this.#unread.set(happened.reactor, messageOf(happened.error))
    if (happened.kind === 'released' || happened.kind === 'unread') return
    const known = this.#reactors.get(happened.reactor)
    const counts = known ?? { enqueued: 0, done: 0, failed: 0, givenUp: 0 }
    if (happened.kind === 'enqueued') counts.enqueued += happened.events
    else if (happened.kind === 'done') counts.done += 1
    else {
      counts.failed += 1
      if (happened.left === 0) counts.givenUp += 1
    }
    this.#reactors.set(happened.reactor, counts)
  }

  /** Adds up rounds; gives a line for each projection that is otherwise than it was. */
  rounds(all: readonly ProjectionRound[]): readonly string[] {
    return all.flatMap(({ projection, events, state, error }) => {
      const known = this.#projections.get(projection)
      const said =
        state === 'behind' && error === null
          ? `needs a replay: eventward replay ${projection}`
          : (error?.message ?? '')
      this.#projections.set(projection, { events: (known?.events ?? 0) + events, state, error, said })
      if (said === (known?.said ?? '')) return []
      return [said === '' ? `projection ${projection}: goes on` : `projection ${projection}: ${said}`]
    })
  }

  /** What failed and what to do about it: calls of reactors, logs unread, projections behind or failing; null for none. */
  failure(): { readonly message: string; readonly next: string } | null {
    const calls = [...this.#reactors.values()].reduce((sum, { failed }) => sum + failed, 0)
    const troubled = [...this.#projections].filter(([, { state }]) => state !== 'written')
    const stale = troubled.flatMap(([name, { error }]) => (error === null ? [name] : []))
    const parts: readonly (readonly [string, string])[] = [
      ...(calls === 0
        ? []
        : [
            [
              calls === 1 ? '1 call of a reactor failed' : `${plural(calls, 'call')} of reactors failed`,
              'Run `eventward work failed --all`: it says why.',
            ] as const,
          ]),
      ...[...this.#unread].map(
        ([reactor, why]) => [`the log could not be read for ${reactor}: ${why}`, ''] as const,
      ),
      ...(stale.length === 0
        ? []
        : [
            [
              `${stale.join(' and ')} ${stale.length === 1 ? 'needs' : 'need'} a replay`,
              `Run ${stale.map((name) => `\`eventward replay ${shellWord(name)}\``).join(', ')}.`,
            ] as const,
          ]),
      ...troubled.flatMap(([name, { error }]) =>
        error === null ? [] : [[`projection ${name}: ${error.message}`, error.next ?? ''] as const],
      ),
    ]
    if (parts.length === 0) return null
    const nexts = [...new Set(parts.map(([, next]) => next).filter((next) => next !== ''))]
    return {
      message: parts.map(([message]) => message).join('; '),
      next: nexts.length === 0 ? 'Run it again; what is done is kept.' : nexts.join(' '),
    }
  }

  members() {
    return {
      reactors: [...this.#reactors].map(([reactor, counts]) => ({ reactor, ...counts })),
      projections: [...this.#projections].map(([projection, { events, state }]) => ({
        projection,
        events,
        state,
      })),
    }
  }
}

/** A line for what people want to know at once; null for what goes well. Pure. */
export function workLine(happened: WorkerEvent): string | null {
  switch (happened.kind) {
    case 'failed': {
      const [reason = ''] = happened.error.split('\n')
      const left = happened.left === 0 ? 'given up: eventward work failed' : `${happened.left} tries left`
      return `reactor ${happened.reactor}: failed at position ${happened.position}: ${reason} · ${left}`
    }
    case 'released':
      return `jobs of ${happened.worker}, which died, are free again`
    case 'unread':
      return `reactor ${happened.reactor}: ${messageOf(happened.error)}`
    default:
      return null
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What was done, at the end. Pure. */
export function tallyText(tally: WorkTally): string {
  const { reactors, projections } = tally.members()
  const lines = [
    ...reactors.map(({ reactor, done, failed, givenUp }) => {
      const failures = failed === 0 ? '' : `, ${failed} failed, ${givenUp} given up`
      return `${reactor}: ${plural(done, 'event')} handled${failures}`
    }),
    ...projections.map(
      ({ projection, events, state }) =>
        `${projection}: ${plural(events, 'event')} written${state === 'written' ? '' : ` · ${state}`}`,
    ),
  ]
  return lines.length === 0 ? 'nothing was to do' : lines.join('\n')
}

/** Failed jobs, a line each. Pure. */
export function jobsText(jobs: readonly FailedJob[]): string {
  if (jobs.length === 0) return 'no job has failed'
  const rows = jobs.map((job) => [
    job.id,
    job.reactor,
    `${job.aggregate} ${job.stream}`,
    job.position,
    `${job.attempts} of ${job.maxAttempts}`,
    job.nextAt === null ? 'given up' : job.nextAt.replace(/\.\d+/, '').replace('+00', 'Z'),
    job.holds === '0' ? '' : job.holds,
    (job.error.split('\n')[0] ?? '').slice(0, 80),
  ])
  return table(JOB_HEADS, rows)
}

const JOB_HEADS = [
  { head: 'JOB', align: 'right' },
  { head: 'REACTOR' },
  { head: 'STREAM' },
  { head: 'POSITION', align: 'right' },
  { head: 'TRIED' },
  { head: 'NEXT' },
  { head: 'HOLDS', align: 'right' },
  { head: 'ERROR' },
] as const

/** Reactors, a line each. Pure. */
export function reactorsText(reactors: readonly ReactorStatus[]): string {
  if (reactors.length === 0) return 'no reactor has worked yet: eventward work'
  const rows = reactors.map((one) => [
    one.reactor,
    one.fromLog,
    one.waiting,
    one.running,
    one.retrying,
    one.failed,
    one.held,
  ])
  return table(REACTOR_HEADS, rows)
}

const REACTOR_HEADS = [
  { head: 'REACTOR' },
  { head: 'FROM THE LOG', align: 'right' },
  { head: 'WAITING', align: 'right' },
  { head: 'RUNNING', align: 'right' },
  { head: 'RETRYING', align: 'right' },
  { head: 'FAILED', align: 'right' },
  { head: 'HELD', align: 'right' },
] as const
