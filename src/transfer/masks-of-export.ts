import { randomBytes } from 'node:crypto'
import type { Session } from '../db/index.js'
import { encodeText } from '../encode/index.js'
import type { EventTexts } from './event-page.js'
import type { ExportedAggregate, ExportHeader } from './export-header.js'
import type { Masks } from './mask.js'
import { hashWith, saltMark } from './mask-hash.js'
import { metadataMasking } from './mask-metadata.js'
import { type AggregateMasks, maskingOf } from './masking.js'
import type { MaskedAggregate } from './refuse-masks.js'
import { resolveMasks } from './resolve-masks.js'

export interface MaskOptions {
  readonly masks?: Masks
  /** Members of metadata: `user`, `request.ip`. */
  readonly metadata?: readonly string[]
  /** Keys the hashes: the same one gives the same masks in another export. @default one of this export alone */
  readonly salt?: string
}

/** All that is masked in an export. */
export interface ExportMasks {
  /** What the header says of it. */
  readonly said: ExportHeader['masks']
  readonly event: (event: EventTexts) => EventTexts
  /** What the header tells of an aggregate: what rows held in an added column is a value as well. */
  readonly aggregate: (exported: ExportedAggregate) => ExportedAggregate
}

/** @throws UsageError as `resolveMasks` and `metadataMasking` */
export async function masksOfExport(
  session: Session,
  aggregates: readonly MaskedAggregate[],
  { masks = {}, metadata = [], salt }: MaskOptions,
): Promise<ExportMasks> {
  const key = salt ?? randomBytes(32).toString('hex')
  const hash = hashWith(key)
  const resolved = await resolveMasks(session, aggregates, masks, hash)
  const any = [...resolved.values()].some(({ columns, facts }) => columns.size + facts.size > 0)
  const maskings = new Map(
    aggregates.map(({ exported }) => [
      exported.name,
      maskingOf(exported, resolved.get(exported.name) ?? NOTHING),
    ]),
  )
  const said = metadataMasking(metadata, { hash, quotes: any })
  const hashed = Object.values(masks).some((of) =>
    Object.values(of).some((mask) => mask === 'hash' || mask === 'email'),
  )
  return {
    said: {
      columns: masks,
      metadata,
      salt: hashed || metadata.length > 0 ? saltMark(key) : null,
    },
    event: (event) => {
      const done = maskings.get(event.aggregate_type)?.(event) ?? event
      const now = said(done.metadata)
      return now === done.metadata ? done : { ...done, metadata: now }
    },
    aggregate: (exported) => maskedEpochs(exported, resolved.get(exported.name) ?? NOTHING),
  }
}

const NOTHING: AggregateMasks = { columns: new Map(), facts: new Map() }

/** `after` of an added column is the text that rows held: as a value, but not encoded. */
function maskedEpochs(exported: ExportedAggregate, { columns }: AggregateMasks): ExportedAggregate {
  if (columns.size === 0) return exported
  return {
    ...exported,
    epochs: exported.epochs.map((epoch) => {
      const mask = columns.get(epoch.attnum)
      if (epoch.kind !== 'added' || mask === undefined || epoch.after === null) return epoch
      const raw = mask(encodeText('text', epoch.after))
      return {
        ...epoch,
        after: raw === 'null' ? null : raw.startsWith('"') ? (JSON.parse(raw) as string) : raw,
      }
    }),
  }
}
