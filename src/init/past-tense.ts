/** Verbs and their past: what makes an event's name of a column's or a status's. Pure. */

/** Participles that don't end in -ed, and their verbs. */
const IRREGULAR: ReadonlyMap<string, string> = new Map(
  Object.entries({
    begun: 'begin',
    bought: 'buy',
    broken: 'break',
    built: 'build',
    done: 'do',
    drawn: 'draw',
    frozen: 'freeze',
    given: 'give',
    held: 'hold',
    hidden: 'hide',
    left: 'leave',
    lost: 'lose',
    made: 'make',
    paid: 'pay',
    read: 'read',
    seen: 'see',
    sent: 'send',
    sold: 'sell',
    spent: 'spend',
    taken: 'take',
    withdrawn: 'withdraw',
    won: 'win',
    written: 'write',
  }),
)

const PAST: ReadonlyMap<string, string> = new Map([...IRREGULAR].map(([past, verb]) => [verb, past]))

/**
 * Verbs from which an event is made although the column has the verb alone (`return_date`, `HireDate`). A list, since
 * most nouns before `_date` are no events: payment_date, session_date.
 */
const VERBS: ReadonlySet<string> = new Set(
  (
    'accept activate approve archive assign authorize block book buy cancel charge check close complete confirm ' +
    'deactivate decline deliver disable dismiss dispatch enable enroll finish fire fulfill hire hold install issue ' +
    'join launch leave lock open order pay post publish purchase read receive redeem refund register reject release ' +
    'remove renew resign resolve restore retire return revoke sell send ship sign submit suspend terminate transfer ' +
    'unlock upgrade verify void withdraw'
  ).split(' '),
)

/** Statuses that are adjectives, with the event that leads to them. */
const ADJECTIVES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    active: 'activated',
    inactive: 'deactivated',
    open: 'opened',
    complete: 'completed',
    draft: 'drafted',
    void: 'voided',
    final: 'finalized',
    public: 'published',
    overdue: 'fell overdue',
  }),
)

const DOUBLING = /(ship|stop|drop|ban|submit|commit|permit|refer|transfer|cancel|enrol|plan|skip|tag)$/

/** True for a past participle: -ed, or an irregular one. */
export function isParticiple(word: string): boolean {
  return IRREGULAR.has(word) || (word.length > 3 && /[^e]ed$/.test(word))
}

/** The past of a verb that events are made of, or null for any other word. */
export function pastOfVerb(word: string): string | null {
  return VERBS.has(word) ? past(word) : null
}

/** What a status says has happened, as words, or null where its word tells none: `paused` -> paused, `active` -> activated. */
export function happened(status: readonly string[]): readonly string[] | null {
  const last = status.at(-1) ?? ''
  const adjective = status.length === 1 ? ADJECTIVES.get(last)?.split(' ') : undefined
  if (adjective !== undefined) return adjective
  if (isParticiple(last)) return status
  // Not `on hold`: behind another word it is a noun more often than a verb.
  const verb = status.length === 1 ? pastOfVerb(last) : null
  return verb === null ? null : [verb]
}

/**
 * Words with one stem mean one thing here: active ~ activated ~ activation, shipped ~ ship, inactive ~ deactivated.
 * Not -ing: what is `processing` has not been processed.
 */
export function stem(word: string): string {
  const verb = IRREGULAR.get(word)
  if (verb !== undefined) return stem(verb)
  const base = word.startsWith('inactiv') ? word.replace('inactiv', 'deactiv') : word
  const bare = base
    .replace(/ication$/, 'y')
    .replace(/(ation|ion|ed|ive|ate|e)$/, (ending) => (ending === 'ive' ? 'iv' : ''))
    .replace(/at$/, '')
    .replace(/i$/, 'y')
  return /([^aeiouls])\1$/.test(bare) || /ll$/.test(bare) ? bare.slice(0, -1) : bare
}

function past(verb: string): string {
  const irregular = PAST.get(verb)
  if (irregular !== undefined) return irregular
  if (verb.endsWith('e')) return `${verb}d`
  if (/[^aeiou]y$/.test(verb)) return verb.replace(/y$/, 'ied')
  return DOUBLING.test(verb) ? `${verb}${verb.at(-1)}ed` : `${verb}ed`
}
