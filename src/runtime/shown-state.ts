import type { BoundModel } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import type { ShownRow } from './any-command.js'

const models = new WeakMap<object, BoundModel>()
const versions = new WeakMap<object, number>()

/** Notes by which model a state was read: its constants are canonical, as the state's texts are. */
export function keepModel(state: ShownRow, model: BoundModel): ShownRow {
  models.set(state, model)
  return state
}

export function modelOf(state: object): BoundModel | undefined {
  return models.get(state)
}

export function keepVersion(state: ShownRow, version: number): ShownRow {
  versions.set(state, version)
  return state
}

/**
 * The version at which a state was found, for `expectedVersion`: 0 where its stream has no event yet.
 *
 * @example
 * const subscription = await Subscriptions.find(knex, { id: 12 })
 * await Activate.call(knex, { id: 12, stripe_key }, { expectedVersion: versionOf(subscription) })
 * @throws UsageError EW_COMMAND_VERSION for what no repository gave (a row of knex, a copy): it would check nothing.
 */
export function versionOf(state: object | null): number {
  const version = state === null ? undefined : versions.get(state)
  if (version !== undefined) return version
  throw new UsageError(
    'EW_COMMAND_VERSION',
    `the version of ${state === null ? 'null' : 'this object'} is not known`,
    {
      next: 'Ask for that of a state that `find` or `get` of repositoryOf(...) gave: a row of knex, or a copy, has none.',
    },
  )
}
