import { type Rounds, ratio } from './rounds.js'

/** A ratio that we want, and what it is. */
export interface Measured {
  readonly what: string
  readonly wall: number | null
  /** This one decides where it's a ratio of work. */
  readonly cpu: number | null
  readonly first: number
  readonly then: number
  /** Sessions in parallel shorten the wall time alone. */
  readonly decides: 'wall' | 'cpu'
  /** Greater is better: the other one is slower. */
  readonly atLeast: boolean
}

const BACKFILL = 'insert ... select by hand'
const VERIFY = 'two scans by hand'

export const VARIANTS = {
  backfill: [BACKFILL, 'backfill, 1 worker', 'backfill, 2 workers', 'knex, batches of 1,000'],
  verify: [VERIFY, 'verify sql, 1 worker', 'verify sql, 2 workers', 'verify replay, 1 worker'],
} as const

export function measure(rounds: Rounds): readonly Measured[] {
  const line = (
    of: string,
    to: string,
    [first, then]: readonly [number, number],
    decides: Measured['decides'],
    atLeast = false,
  ): Measured => ({
    what: `${of} / ${to}`,
    wall: ratio(rounds, of, to, 'wallMs'),
    cpu: ratio(rounds, of, to, 'cpuMs'),
    first,
    then,
    decides,
    atLeast,
  })
  const [, one, two, knex] = VARIANTS.backfill
  const [, sqlOne, sqlTwo, replay] = VARIANTS.verify
  return [
    line(one, BACKFILL, [1.6, 1.35], 'cpu'),
    line(two, BACKFILL, [1, 0.8], 'wall'),
    line(knex, two, [3, 4], 'wall', true),
    line(sqlOne, VERIFY, [13, 9], 'cpu'),
    line(sqlTwo, VERIFY, [8, 5.6], 'wall'),
    line(replay, VERIFY, [9, 6], 'cpu'),
  ].filter(({ wall }) => wall !== null)
}

export function verdict({ wall, cpu, first, then, decides, atLeast }: Measured): string {
  const value = decides === 'cpu' ? (cpu ?? wall) : wall
  if (value === null) return ''
  const meets = (target: number) => (atLeast ? value >= target : value <= target)
  return meets(then) ? 'then' : meets(first) ? 'first' : 'misses'
}
