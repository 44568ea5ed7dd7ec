import { UsageError } from '../errors/index.js'
import { nearestName } from './nearest-name.js'
import { storedVersion } from './upcast.js'

/**
 * Refuses what is no `upcast` and no `from` of an event, where no compiler did. Pure.
 *
 * @throws UsageError EW_UPCAST
 */
export function checkUpcasts(event: Readonly<Record<string, unknown>>, where: string): void {
  const { upcast, from, schemaVersion = 1 } = event
  if (from !== undefined && !isTexts(from))
    refuse(`${where}.from`, 'is no list of names', "Write from: ['Started'].")
  if (upcast === undefined) return
  if (!isRecord(upcast)) refuse(`${where}.upcast`, 'is no record', 'Write { 1: { rename: { old: new } } }.')
  for (const [version, steps] of Object.entries(upcast)) {
    if (!isVersion(version) || Number(version) >= Number(schemaVersion)) {
      refuse(
        `${where}.upcast.${version}`,
        `is about no older version: the present one is ${String(schemaVersion)}`,
        'Raise schemaVersion, and say under the old one what became of it.',
      )
    }
    checkSteps(steps, `${where}.upcast.${version}`)
  }
}

/**
 * The same of an aggregate's `upcasters`, and of the events that its `from`s speak of.
 *
 * @throws UsageError EW_UPCAST
 */
export function checkUpcasters(
  upcasters: unknown,
  events: Readonly<Record<string, unknown>>,
  aggregate: string,
): void {
  const taken = new Map<string, string>()
  const take = (name: string, where: string) => {
    const other = taken.get(name)
    if (other !== undefined)
      refuse(where, `and ${other} both say what ${name} is read as`, 'Take one of them away.')
    taken.set(name, where)
  }
  for (const [type, event] of Object.entries(events)) {
    const { from = [] } = event as { readonly from?: readonly string[] }
    for (const old of from) {
      if (Object.hasOwn(events, old)) {
        refuse(`${aggregate}.${type}.from`, `names ${old}, which is an event still`, 'Take that event away.')
      }
      take(old, `${aggregate}.${type}.from`)
    }
  }
  if (upcasters === undefined) return
  const where = `${aggregate}.upcasters`
  if (!isRecord(upcasters)) refuse(where, 'is no record', "Write { 'Started@1': { to: 'Begun' } }.")
  for (const [key, upcaster] of Object.entries(upcasters)) {
    const { type, schemaVersion } = storedVersion(key)
    if (type === '' || !isVersion(String(schemaVersion))) {
      refuse(`${where}['${key}']`, 'names no stored version', "Write it as 'Started@1'.")
    }
    if (typeof upcaster === 'function') continue
    for (const one of Array.isArray(upcaster) ? upcaster : [upcaster]) {
      if (!isRecord(one) || typeof one['to'] !== 'string') {
        refuse(`${where}['${key}']`, 'leads to no event', "Write { to: 'Begun' }, or a function.")
      }
      const { to, version, compute, ...words } = one
      if (compute !== undefined && typeof compute !== 'function')
        refuse(`${where}['${key}'].compute`, 'is no function', 'Write (data) => ({ ... }).')
      if (!Object.hasOwn(events, to)) {
        const names = Object.keys(events)
        refuse(
          `${where}['${key}']`,
          `leads to ${to}, which is no event`,
          `${nearestName(to, names)}Known are ${names.join(', ')}.`,
        )
      }
      if (version !== undefined && !isVersion(String(version)))
        refuse(`${where}['${key}'].version`, 'is no version', 'Give a whole number above 0.')
      checkSteps(words, `${where}['${key}']`)
    }
  }
}

/**
 * Refuses an `apply` of what is no event, and one that is no function.
 *
 * @throws UsageError EW_APPLY
 */
export function checkApplies(
  apply: unknown,
  events: Readonly<Record<string, unknown>>,
  aggregate: string,
): void {
  if (apply === undefined) return
  const where = `${aggregate}.apply`
  if (!isRecord(apply))
    refuse(where, 'is no record', 'Write { Credited: (state, event) => ({ ... }) }.', 'EW_APPLY')
  for (const [type, one] of Object.entries(apply)) {
    const names = Object.keys(events)
    if (!names.includes(type)) {
      refuse(
        `${where}.${type}`,
        'is about no event',
        `${nearestName(type, names)}Known are ${names.join(', ')}.`,
        'EW_APPLY',
      )
    }
    const named = isRecord(one) && typeof one['version'] === 'string' && typeof one['fold'] === 'function'
    if (typeof one !== 'function' && !named) {
      refuse(
        `${where}.${type}`,
        'is no function',
        "Write (state, event) => ({ ... }), or { version: '1', fold }.",
        'EW_APPLY',
      )
    }
    const event = events[type] as { readonly when?: unknown }
    if (event.when !== undefined) {
      refuse(
        `${where}.${type}`,
        'is about an event with a `when`',
        'Leave out one of them: an event with code is never recognised.',
        'EW_APPLY',
      )
    }
  }
}

function checkSteps(steps: unknown, where: string): void {
  for (const step of Array.isArray(steps) ? steps : [steps]) {
    if (typeof step === 'function') continue
    if (!isRecord(step))
      refuse(where, 'is no step', 'Write { rename: { old: new } }, add, drop, or a function.')
    const { rename = {}, add = {}, drop = [], ...others } = step
    const [stranger] = Object.keys(others)
    if (stranger !== undefined) refuse(where, `has a step ${stranger}`, 'Known are rename, add and drop.')
    if (!isRecord(rename) || !isTexts(Object.values(rename))) {
      refuse(`${where}.rename`, 'is no record of names', 'Write { old: new }.')
    }
    if (!isRecord(add) || !Object.values(add).every(isConstant)) {
      refuse(`${where}.add`, 'is no record of constants', "Write { plan: 'free' }.")
    }
    if (!isTexts(drop)) refuse(`${where}.drop`, 'is no list of names', "Write ['legacy'].")
  }
}

function refuse(
  where: string,
  what: string,
  next: string,
  code: 'EW_UPCAST' | 'EW_APPLY' = 'EW_UPCAST',
): never {
  throw new UsageError(code, `${where} ${what}`, { next })
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
const isVersion = (version: string) => /^[1-9]\d{0,8}$/.test(version)
const isConstant = (value: unknown): boolean =>
  value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
