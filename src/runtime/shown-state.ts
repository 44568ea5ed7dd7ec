import type { BoundModel } from '../definition/index.js'
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
 * The version at which a state was found, for `expectedVersion`: 0 where its stream has no event yet. Undefined for what
 * `find` didn't give (a copy of it, say).
 *
 * @example
 * const subscription = await Subscriptions.find(knex, { id: 12 })
 * await Activate.call(knex, { id: 12, stripe_key }, { expectedVersion: versionOf(subscription) })
 */
export function versionOf(state: object | null): number | undefined {
  return state === null ? undefined : versions.get(state)
}
