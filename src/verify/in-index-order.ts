import type { Session } from '../db/index.js'

/**
 * Runs `work`, which asks for a border a long way along an index, in a READ ONLY transaction in which the planner has
 * no other way than that index: where tables were never analysed it takes all that lies behind the last border, sorts
 * it and throws most of it away, each time anew, and the plan of the ranges would cost the square of their number.
 */
export function inIndexOrder<T>(session: Session, work: () => Promise<T>): Promise<T> {
  return session.transaction({ readOnly: true }, async () => {
    await session.execute({
      text: 'set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off; set local jit = off',
      values: [],
    })
    return work()
  })
}
