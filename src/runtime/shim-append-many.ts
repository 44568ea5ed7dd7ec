import type { Query } from '../sql/index.js'
import type { CallerConnection } from './caller-connection.js'
import type { Binding } from './command-binding.js'
import type { StreamAppend } from './shim-append.js'
import type { ShimBinding } from './shim-binding.js'
import { type Head, headsOf, insertQuery } from './shim-event-sql.js'

/** Statements that travel together: some 100 kB. */
const TOGETHER = 200

/**
 * Appends to many streams, no one twice, in few round trips and in their order, under READ COMMITTED. `alone` is called
 * for those that need more thought: rows that have no stream yet, or one that ended, new rows that mean several events
 * (the first version decides about the others), and new rows whose stream turns out to be another's.
 */
export async function appendTogether(
  connection: CallerConnection,
  { binding }: ShimBinding,
  appends: readonly StreamAppend[],
  alone: (append: StreamAppend) => Promise<void>,
): Promise<void> {
  const ids = appends.map(({ id }) => id)
  const heads = await headsOf(connection, binding, ids)
  let waiting: Simple[] = []
  const send = async () => {
    const lost = await run(connection, waiting)
    waiting = []
    for (const append of lost) await alone(append)
  }
  for (const append of appends) {
    const head = heads.get(append.id)
    if (isSimple(append, head, binding.model.residue.deleted)) {
      waiting.push({ append, queries: statements(binding, append, head) })
      if (waiting.length >= TOGETHER) await send()
    } else {
      await send()
      await alone(append)
    }
  }
  await send()
}

interface Simple {
  readonly append: StreamAppend
  readonly queries: readonly Query[]
}

function isSimple({ creating, events }: StreamAppend, head: Head | undefined, deleted: string): boolean {
  return creating ? head === undefined && events.length === 1 : head !== undefined && head.type !== deleted
}

/** Gives the creations that came too late: another's version 1 is there. */
async function run(
  connection: CallerConnection,
  simple: readonly Simple[],
): Promise<readonly StreamAppend[]> {
  if (simple.length === 0) return []
  const answers = await connection.run(simple.flatMap(({ queries }) => queries))
  let at = 0
  return simple.flatMap(({ append, queries }) => {
    const first = answers[at]
    at += queries.length
    return first?.count === 0 ? [append] : []
  })
}

function statements(binding: Binding, append: StreamAppend, head: Head | undefined): readonly Query[] {
  const { events, creating, link = {} } = append
  return events.map((event, index) =>
    insertQuery(binding, event, (head?.version ?? 0) + index + 1, {
      more: index === 0 ? link : {},
      recorded: head?.recordedAt ?? null,
      lenient: creating && index === 0,
    }),
  )
}
