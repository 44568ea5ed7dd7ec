import type { NamedProjection } from '../config/index.js'
import { nearestName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { Projection } from './define-projection.js'

/** The projections of a configuration. @throws UsageError EW_PROJECTION for one that `defineProjection` did not make. */
export function projectionsOf(named: readonly NamedProjection[]): readonly Projection[] {
  return named.map((one) => {
    if (isProjection(one)) return one
    throw new UsageError('EW_PROJECTION', `projection ${one.name} was not made with defineProjection`, {
      next: 'Make it with defineProjection.',
    })
  })
}

/** One of them by its name. @throws UsageError EW_PROJECTION_UNKNOWN */
export function selectProjection(named: readonly NamedProjection[], name: string): Projection {
  const found = projectionsOf(named).find((one) => one.name === name)
  if (found !== undefined) return found
  const names = named.map((one) => one.name)
  throw new UsageError('EW_PROJECTION_UNKNOWN', `no projection is called ${JSON.stringify(name)}`, {
    next:
      names.length === 0
        ? 'Name them in the configuration: projections: [PerReward].'
        : `${nearestName(name, names)}Known are ${names.join(', ')}.`,
    details: { projection: name },
  })
}

/** By its form: it may have been made by another copy of the package. */
function isProjection(one: NamedProjection): one is Projection {
  return 'rules' in one && Array.isArray(one.rules) && 'create' in one && typeof one.create === 'function'
}
