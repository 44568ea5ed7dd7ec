import { sqlstateOf } from '../db/index.js'
import { EventwardError } from '../errors/index.js'
import type { RecognisedEvent } from '../recognise/index.js'
import type { Query } from '../sql/index.js'
import { type CallerConnection, savepoint } from './caller-connection.js'
import { appendTogether } from './shim-append-many.js'
import type { ShimBinding } from './shim-binding.js'
import { type Head, headsOf, type Inserted, insertQuery } from './shim-event-sql.js'

/** Events for one stream, in order. */
export interface StreamAppend {
  readonly id: string
  readonly events: readonly RecognisedEvent[]
  /** What the backfill would write of the row as it was; null where there was none. */
  readonly was: readonly RecognisedEvent[] | null
  /** The row is new: no lock on it keeps others from the stream. */
  readonly creating: boolean
  /** What the metadata of the first event says more: `{"movedFrom":"7"}`. */
  readonly link?: Readonly<Record<string, string>>
}

const NAME = 'eventward_append'
/** Older snapshots try one version after the other; more of them than this are not between two statements. */
const MOST_TRIES = 1_000

/** Appends in order: in few round trips where nothing can come between, one by one where it can. */
export async function appendToStreams(
  connection: CallerConnection,
  bound: ShimBinding,
  appends: readonly StreamAppend[],
): Promise<void> {
  const alone = (append: StreamAppend) => appendToStream(connection, bound, append)
  const distinct = new Set(appends.map(({ id }) => id)).size === appends.length
  if (bound.fresh && distinct && appends.length > 1) return appendTogether(connection, bound, appends, alone)
  for (const append of appends) await alone(append)
}

/**
 * Appends by the protocol of the capture triggers: a row that has no stream yet is first recorded as it was, and the
 * first version decides whether this or the backfill's is the creation; under an older snapshot, which may not show the
 * stream, each version is tried in a savepoint.
 */
async function appendToStream(
  connection: CallerConnection,
  bound: ShimBinding,
  append: StreamAppend,
): Promise<void> {
  const appender = new Appender(connection, bound, append)
  await appender.run()
}

class Appender {
  constructor(
    private readonly connection: CallerConnection,
    private readonly bound: ShimBinding,
    private readonly append: StreamAppend,
  ) {}

  async run(): Promise<void> {
    const { was } = this.append
    const deleted = this.bound.binding.model.residue.deleted
    let head = await this.#head()
    let events = this.append.events
    if (was !== null && head === null) {
      await this.#recordAsItWas(was)
      head = await this.#head()
    } else if (was !== null && head?.type === deleted) {
      // Removed already as far as events go, or its creation went unseen: the stream goes on with it.
      events = events.every(({ type }) => type === deleted) ? [] : [...was, ...events]
    } else if (this.bound.fresh && was === null && head !== null && head.type !== deleted) {
      // The stream lives, the row is new: its removal went unseen. An older snapshot proves nothing.
      events = [this.#unseenRemoval(), ...events]
    }
    let version = head?.version ?? 0
    for (const [index, event] of events.entries()) {
      version = await this.#one(event, version, head, index === 0 ? this.append.link : undefined)
    }
  }

  /** As a backfill would, all or nothing: version 1 decides. To an older snapshot ON CONFLICT raises: it is tried. */
  async #recordAsItWas(was: readonly RecognisedEvent[]): Promise<void> {
    const inserts = was.map((event, index) =>
      this.#insert(event, index + 1, {
        more: { existing: true },
        recorded: null,
        lenient: this.bound.fresh && index === 0,
      }),
    )
    const [first, ...rest] = inserts
    if (first === undefined) return
    if (this.bound.fresh) {
      const answers = await this.connection.run([first])
      if (answers[0]?.count === 1 && rest.length > 0) await this.connection.run(rest)
      return
    }
    await this.#tried(inserts)
  }

  async #one(
    event: RecognisedEvent,
    after: number,
    head: Head | null,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<number> {
    for (let version = after + 1; version <= after + MOST_TRIES; version += 1) {
      const lenient = this.bound.fresh && this.append.creating
      const insert = this.#insert(event, version, { more, recorded: head?.recordedAt ?? null, lenient })
      if (!this.bound.fresh) {
        if (await this.#tried([insert])) return version
        continue
      }
      // Held by the row's lock, nobody else appends here; a new row's stream may be another's, whom we wait for.
      const answers = await this.connection.run([insert])
      if (answers[0]?.count === 1) return version
    }
    throw new EventwardError('EW_SHIM_APPEND', `the events of ${this.append.id} found no version`, {
      next: 'Run the transaction again.',
    })
  }

  /** In a savepoint: a version that an older snapshot does not show raises a duplicate key. */
  async #tried(statements: readonly Query[]): Promise<boolean> {
    try {
      await this.connection.run([savepoint.begin(NAME), ...statements, savepoint.end(NAME)])
      return true
    } catch (error) {
      await this.connection.run([savepoint.undo(NAME), savepoint.end(NAME)])
      if (sqlstateOf(error) !== '23505') throw error
      return false
    }
  }

  async #head(): Promise<Head | null> {
    return (await headsOf(this.connection, this.bound.binding, [this.append.id])).get(this.append.id) ?? null
  }

  #unseenRemoval(): RecognisedEvent {
    const { model } = this.bound.binding
    return {
      streamId: this.append.id,
      type: model.residue.deleted,
      schemaVersion: 1,
      data: '{}',
      occurredAt: this.append.events[0]?.occurredAt ?? 'now',
      inferred: true,
    }
  }

  #insert(event: RecognisedEvent, version: number, how: Inserted): Query {
    return insertQuery(this.bound.binding, event, version, how)
  }
}
