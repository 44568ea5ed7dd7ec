import { shellWord } from '../errors/index.js'
import type { GateCheck, GateName } from './cutover-result.js'
import type { GateFacts } from './read-facts.js'
import { shownAge } from './shown-age.js'

/** What must hold before a table's events become its truth: the one list, in the order in which it's told. Pure. */
export function checkGate(facts: GateFacts): readonly GateCheck[] {
  return CHECKS.map(([name, check]) => {
    const { ok, detail, next } = check(facts)
    return { name, ok, detail, next: ok ? null : (next ?? null) }
  })
}

/** Whether nothing but, possibly, the rehearsal of the way back is left: that is what advance does itself. */
export function opens(gate: readonly GateCheck[]): boolean {
  return gate.every(({ name, ok }) => ok || name === 'way_back')
}

interface Found {
  readonly ok: boolean
  readonly detail: string
  readonly next?: string
}

type Check = (facts: GateFacts) => Found

/** Capture on, unbroken, the last to see a row; by triggers: a shim alone can't know who else writes. */
const capture: Check = ({ captured, problems, shimAlone, table }) => {
  const on = run('capture on', table)
  if (captured?.on !== true) {
    return shimAlone
      ? no('captured by the shim alone: without triggers nobody knows who else writes', on)
      : no('capture is off', on)
  }
  const [first] = problems
  if (first === undefined) return yes('capture on, last in order')
  return no(problems.map(({ what }) => what).join('; '), first.next)
}

/** The configuration, the triggers and what is registered mean the same. */
const definition: Check = ({ hash, installedHash, captured, table }) => {
  if (captured?.on !== true) return no('nothing is captured yet', run('capture on', table))
  if (captured.definitionHash !== hash)
    return no(
      `the triggers were made from another definition (${short(captured.definitionHash)}, now ${short(hash)})`,
      run('capture on', table),
    )
  if (installedHash !== hash)
    return no(
      `another definition is installed (${short(installedHash)}, now ${short(hash)})`,
      run('capture on', table),
    )
  return yes(`definition ${short(hash)}`)
}

/** The whole table, beside this very capture: rows written before it are nobody else's. */
const backfill: Check = ({ backfill: last, captured, table }) => {
  const again = run('backfill', table)
  if (last === null) return no('no backfill yet', again)
  if (!last.complete) return no(`backfill is not complete (run ${last.run})`, again)
  if (captured?.on !== true) return no('capture was turned off: the backfill does not count any more', again)
  if (last.epoch !== captured.epoch)
    return no(
      last.epoch === null
        ? `run ${last.run} wrote while nothing was captured: it was a first look`
        : `run ${last.run} is of an earlier capture`,
      again,
    )
  if (last.definitionHash !== captured.definitionHash)
    return no(`run ${last.run} was made by another definition`, again)
  return yes(`backfill complete, ${last.chunks} chunk${last.chunks === '1' ? '' : 's'}`)
}

const verify: Check = ({ verify: last, captured, hash, table }) => {
  const again = run('verify', table)
  const proof = captured?.proof ?? null
  if (last === null) return no('never verified', again)
  if (!last.clean) return no(`the last full verify found ${last.differences} (run ${last.run})`, again)
  if (!last.afterBackfill)
    return no(`the last full verify is older than the backfill (run ${last.run})`, again)
  if (proof === null) return no(`run ${last.run} proved nothing about this capture`, again)
  if (proof.definitionHash !== hash) return no(`run ${proof.run} verified another definition`, again)
  return yes(`verified clean, run ${proof.run}`)
}

const fresh: Check = ({ captured, freshnessSeconds, table }) => {
  const proof = captured?.proof ?? null
  const limit = shownAge(freshnessSeconds * 1000)
  if (proof === null) return no(`no clean verify (limit ${limit})`, run('verify', table))
  const age = shownAge(proof.ageSeconds * 1000)
  return proof.ageSeconds <= freshnessSeconds
    ? yes(`last clean ${age} ago, limit ${limit}`)
    : no(`last clean ${age} ago, limit ${limit}`, run('verify', table))
}

/** A change that no trigger sees (DISABLE TRIGGER, a rewrite, ATTACH) leaves no event: only a full verify can tell. */
const fingerprint: Check = ({ captured, fingerprint: now, table }) => {
  const proof = captured?.proof ?? null
  if (proof === null) return no('no proof stands', run('verify', table))
  return proof.fingerprint === now
    ? yes('table and triggers as they were verified')
    : no(
        'columns, triggers, partitions or files of the table have changed since it was verified',
        run('verify', table),
      )
}

const differences: Check = ({ openDifferences: open, table }) =>
  open === '0'
    ? yes('no open difference')
    : no(`${open} open difference${open === '1' ? '' : 's'}`, `${run('verify', table)} --open`)

const incomplete: Check = ({ incomplete: { count, reason }, table }) =>
  count === '0'
    ? yes('every write could be stored')
    : no(
        `${count} write${count === '1' ? '' : 's'} could not be stored as events (${reason})`,
        run('verify', table),
      )

/** We name them and kill no one. */
const transactions: Check = ({ older, hidden }) => {
  const [first] = older
  if (first !== undefined) {
    const remedies = older.map(({ pid, gid }) =>
      pid === null ? `rollback prepared ${quoted(gid ?? '')};` : `select pg_terminate_backend(${pid});`,
    )
    return no(
      `older than capture: ${older.map(({ who }) => who).join(', ')}`,
      `wait until it ends, or end it yourself (we never do): ${remedies.join(' ')}`,
    )
  }
  if (hidden.length > 0)
    return no(
      `this role may not see how old the transactions of ${hidden.join(', ')} are, and they go on`,
      'grant pg_read_all_stats to this role, or wait until they end (with track_activities off nobody may see it)',
    )
  return yes('no transaction is older than capture')
}

const wayBack: Check = ({ rehearsal, captured, table }) => {
  if (captured?.phase === 'complete') return no('the way back is closed')
  if (rehearsal === null) return no('way back not rehearsed yet', run2('cutover', table, 'rehearse'))
  const took = `${rehearsal.lockedMs.toFixed(0)} ms`
  return rehearsal.ok
    ? yes(`way back rehearsed ${took}`)
    : no(`the rehearsal of the way back failed (run ${rehearsal.run})`, run2('cutover', table, 'rehearse'))
}

const CHECKS: readonly (readonly [GateName, Check])[] = [
  ['capture', capture],
  ['definition', definition],
  ['backfill', backfill],
  ['verify', verify],
  ['fresh', fresh],
  ['fingerprint', fingerprint],
  ['differences', differences],
  ['incomplete', incomplete],
  ['transactions', transactions],
  ['way_back', wayBack],
]

function yes(detail: string): Found {
  return { ok: true, detail }
}

function no(detail: string, next?: string): Found {
  return next === undefined ? { ok: false, detail } : { ok: false, detail, next }
}

function run(command: string, table: string): string {
  return `eventward ${command} ${shellWord(table)}`
}

function run2(command: string, table: string, action: string): string {
  return `eventward ${command} ${shellWord(table)} ${action}`
}

function short(hash: string | null): string {
  return hash === null ? 'none' : hash.slice(0, 12)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
