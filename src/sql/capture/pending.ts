import type { BoundModel } from '../../definition/index.js'
import { compileRecognise, type RecogniseInput, typeLiteral } from '../compile-recognise.js'

/**
 * SQL of an array of `eventward.pending`: what a write means, in order; NULL where it means nothing. A scalar
 * expression over plpgsql's variables.
 */
export function pendingSql(model: BoundModel, input: Omit<RecogniseInput, 'from'>): string {
  const { source, events } = compileRecognise(model, { ...input, from: '(select 1) as one' })
  const branches = events.map(
    (event) => `
        select ${typeLiteral(event)} as type, ${event.schemaVersion} as sv, ${event.data} as data,
          ${event.occurredAt} as at, ${event.inferred} as inferred, ${event.ordinal} as ordinal
        where ${event.where}`,
  )
  return `(
      select pg_catalog.array_agg(row(e.type, e.sv, e.data, null, e.at, e.inferred)::eventward.pending order by e.ordinal)
      from (${source}) s
      cross join lateral (${branches.join('\n        union all')}
      ) e)`
}
