import type { AggregateDefinition } from '../definition/index.js'
import type { Said } from './lint-finding.js'

/** Names that don't tell what happened, and facts of which nothing says what they are. Pure; English only, and a guess. */
export function lintNames({ events }: AggregateDefinition): readonly Said[] {
  return events.flatMap(({ type, facts, factSchemas = {} }): readonly Said[] => [
    ...(isPastTense(type)
      ? []
      : [
          {
            level: 'warning',
            rule: 'past_tense',
            event: type,
            message: `${type} does not sound like something that happened`,
            next:
              "Name it in the past tense (Activated, PriceChanged); where events are stored, give the new one from: ['" +
              `${type}'].`,
          } as const,
        ]),
    ...facts
      .filter((name) => !Object.hasOwn(factSchemas, name))
      .map(
        (name) =>
          ({
            level: 'warning',
            rule: 'fact_without_schema',
            event: type,
            message: `${type}.${name} is a fact without a schema: whatever a command gives is stored`,
            next: 'Give it a schema: facts: { reason: z.string() }.',
          }) as const,
      ),
  ])
}

/** Whether one of the words of a name is a past participle, or a preterite. */
export function isPastTense(type: string): boolean {
  const words = type.match(/\p{Lu}?[\p{Ll}\d]+|\p{Lu}+(?!\p{Ll})/gu) ?? []
  return words.some((word) => {
    const lower = word.toLowerCase()
    return IRREGULAR.has(lower) || (/[^e]ed$/.test(lower) && lower.length > 3 && !NOT_PAST.has(lower))
  })
}

/** End in "ed" without being anything's past. */
const NOT_PAST = new Set(['embed', 'bleed', 'breed', 'sacred', 'hundred', 'shed', 'sled', 'unneed'])

const IRREGULAR = new Set(
  `agreed arisen awoken beaten become been begun began bent bound bought born borne broken brought broadcast built
  burnt cast caught chosen come cost cut dealt done drawn driven eaten fallen fed felt fought found flown forbidden
  forgotten forgiven freed frozen given gone got gotten grown guaranteed heard held hidden hit hung hurt kept known laid
  led left lent let lost made meant met mistaken offset oversold overridden overwritten paid put quit read rebuilt
  received refereed reset resent resold rewritten ridden risen run said seen sent sold set shaken shipped shown shrunk
  shut spent split spoken spread stolen stood stuck struck sunk sworn swept taken taught torn told thought thrown
  understood undone unpaid upheld upset withdrawn withheld won worn written`
    .split(/\s+/)
    .filter((word) => word !== ''),
)
