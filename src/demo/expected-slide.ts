import type { History, HistoryEntry } from '../inspect/index.js'

/** An event of the slide's rows as it must come out. */
interface Expected {
  readonly type: string
  readonly day: string
  /** As it's stored: jsonb orders members by length, then by name. */
  readonly data: string
  readonly changed: Readonly<Record<string, string>>
}

/**
 * The slide's rows. Row 13 says `unpaid` and yet has been activated and deactivated: that contradiction is what no
 * event explains, so it stands in a `Changed`, and the row comes back exactly.
 */
const EXPECTED: Readonly<Record<string, readonly Expected[]>> = {
  '12': [
    {
      type: 'Created',
      day: '2018-02-01',
      data: '{"user_id": 123, "reward_id": 234, "payment_source_key": "pm_8e12"}',
      changed: created('123', '234', 'pm_8e12', '2018-02-01'),
    },
    {
      type: 'Activated',
      day: '2018-02-01',
      data: '{"stripe_key": "sub_66123"}',
      changed: activated('sub_66123', '2018-02-01'),
    },
  ],
  '13': [
    {
      type: 'Created',
      day: '2018-02-02',
      data: '{"user_id": 345, "reward_id": 234, "payment_source_key": "pm_8e13"}',
      changed: created('345', '234', 'pm_8e13', '2018-02-02'),
    },
    {
      type: 'Activated',
      day: '2018-02-02',
      data: '{"stripe_key": "sub_66134"}',
      changed: activated('sub_66134', '2018-02-02'),
    },
    {
      type: 'Deactivated',
      day: '2018-04-06',
      data: '{}',
      changed: { status: 'inactive', deactivated_at: midnight('2018-04-06') },
    },
    { type: 'Changed', day: '2018-02-02', data: '{"status": "unpaid"}', changed: { status: 'unpaid' } },
  ],
}

/** What in a history of one of the slide's rows is not as it must be. Pure. */
export function slideProblems({ id, entries }: History): readonly string[] {
  const expected = EXPECTED[id] ?? []
  const count =
    entries.length === expected.length
      ? []
      : [`${id} has ${entries.length} events instead of ${expected.length}`]
  return [
    ...count,
    ...expected.flatMap((event, index) => entryProblems(id, index + 1, event, entries[index])),
  ]
}

function entryProblems(
  id: string,
  version: number,
  expected: Expected,
  entry: HistoryEntry | undefined,
): readonly string[] {
  if (entry === undefined) return []
  const changed = Object.fromEntries(entry.changed.map(({ column, after }) => [column, after]))
  const problem = (what: string, is: unknown, wanted: unknown) =>
    JSON.stringify(is) === JSON.stringify(wanted)
      ? []
      : [`${id} v${version}: ${what} is ${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`]
  return [
    ...problem('version', entry.version, version),
    ...problem('type', entry.type, expected.type),
    // The last one has no time of its own.
    ...(entry.inferred ? [] : problem('time', entry.occurredAt, midnight(expected.day))),
    ...problem('data', entry.data, expected.data),
    ...problem('change', sorted(changed), sorted(expected.changed)),
  ]
}

function created(user: string, reward: string, source: string, day: string) {
  return {
    user_id: user,
    reward_id: reward,
    payment_source_key: source,
    status: 'unpaid',
    created_at: midnight(day),
  }
}

function activated(key: string, day: string) {
  return { status: 'active', stripe_key: key, activated_at: midnight(day) }
}

function midnight(day: string): string {
  return `${day} 00:00:00+00`
}

function sorted(object: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
}
