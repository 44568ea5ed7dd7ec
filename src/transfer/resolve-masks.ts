import { canonicalTexts } from '../bind/index.js'
import type { CatalogColumn } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { nearestName, tableName } from '../definition/index.js'
import { decodeText, encodeText } from '../encode/index.js'
import { EventwardError, UsageError } from '../errors/index.js'
import type { ExportedAggregate } from './export-header.js'
import { formOf, type Mask, type Masks, masksOf } from './mask.js'
import { emailForm, type MaskHash } from './mask-hash.js'
import type { AggregateMasks, MaskValue } from './masking.js'
import { type MaskedAggregate, refuseKept, refuseUnmasked } from './refuse-masks.js'

/**
 * Masks by aggregate, checked against the database: a mask that the rows of another database couldn't take, or that
 * would tell nothing while the value stands elsewhere, is refused before a line is written.
 *
 * @throws UsageError EW_MASK_UNKNOWN, EW_MASK_KEY, EW_MASK_SET, EW_MASK_TYPE, EW_MASK_VALUE, EW_MASK_NULL,
 * EW_MASK_UNIQUE, EW_MASK_REFERENCE, EW_MASK_GENERATED
 */
export async function resolveMasks(
  session: Session,
  aggregates: readonly MaskedAggregate[],
  masks: Masks,
  hash: MaskHash,
): Promise<ReadonlyMap<string, AggregateMasks>> {
  refuseUnknownTables(aggregates, masks)
  const resolved = new Map<string, AggregateMasks>()
  for (const aggregate of aggregates) {
    const wanted = masksOf(aggregate.exported, masks)
    const columns = new Map<number, MaskValue>()
    const facts = new Map<string, MaskValue>()
    for (const [name, mask] of Object.entries(wanted)) {
      const where = `${tableName({ schema: aggregate.exported.schema, name: aggregate.exported.table })}.${name}`
      const found = columnsNamed(aggregate, name)
      if (found.length > 0) {
        refuseKept(aggregate, name, where)
        for (const column of found)
          columns.set(column.attnum, await valueMask(session, column, { mask, hash, where }))
      }
      // A fact may bear a column's name: who hides the one means both.
      if (isFact(aggregate.exported, name)) facts.set(name, factMask(mask, hash))
      else if (found.length === 0) throw unknown(aggregate, name, where)
    }
    resolved.set(aggregate.exported.name, { columns, facts })
  }
  await refuseUnmasked(session, aggregates, masks)
  return resolved
}

interface NamedColumn {
  readonly attnum: number
  /** Null for one that was dropped: events hold it, and nobody reads it. */
  readonly live: CatalogColumn | null
}

/** The live column of a name; where there is none, all that bore it once. */
function columnsNamed({ bound, exported }: MaskedAggregate, name: string): readonly NamedColumn[] {
  const live = bound.table.columns.find((column) => column.name === name)
  if (live !== undefined) return [{ attnum: live.attnum, live }]
  const known = new Map(bound.table.columns.map((column) => [column.attnum, column]))
  const former = exported.rowShapes.flatMap(({ columns }) => columns.filter((column) => column.name === name))
  return [...new Set(former.map(({ attnum }) => attnum))].map((attnum) => ({
    attnum,
    live: known.get(attnum) ?? null,
  }))
}

interface Wanted {
  readonly mask: Mask
  readonly hash: MaskHash
  readonly where: string
}

async function valueMask(
  session: Session,
  { live }: NamedColumn,
  { mask, hash, where }: Wanted,
): Promise<MaskValue> {
  if (live === null) return factMask(mask, hash)
  if (live.generated)
    throw new UsageError('EW_MASK_GENERATED', `${where} is computed, and no event carries it`, {
      next: 'Mask the columns that it is made of.',
    })
  if (mask === 'null') {
    if (live.nullable) return () => 'null'
    throw new UsageError('EW_MASK_NULL', `${where} is NOT NULL: it can't be masked as null`, {
      next: `Write ${where}=hash, or fixed:TEXT.`,
    })
  }
  const encoding = encodingOf(live)
  if (isFixed(mask)) {
    const text = await asked(session, live, { value: fixedText(mask), where })
    return () => encodeText(encoding, text)
  }
  const form = formOf(live, mask, where)
  // One of them, tried by the server: it has to fit the column, its domain too.
  await asked(session, live, { value: form.write(hash('')), where })
  return (raw) => encodeText(encoding, form.write(hash(form.same(decodeText(encoding, raw) ?? ''))))
}

async function asked(
  session: Session,
  column: CatalogColumn,
  { value, where }: { readonly value: string; readonly where: string },
) {
  try {
    const [text = null] = await canonicalTexts(session, [{ column, value, where }])
    return text
  } catch (error) {
    if (!(error instanceof EventwardError) || error.code !== 'EW_CONSTANT') throw error
    throw new UsageError('EW_MASK_VALUE', `${error.message}: the column would not take this mask`, {
      next: `Write ${where}=fixed:TEXT with a value of ${column.type}.`,
      cause: error,
    })
  }
}

/** Of what no column takes: any JSON will do. */
function factMask(mask: Mask, hash: MaskHash): MaskValue {
  if (mask === 'null') return () => 'null'
  if (isFixed(mask)) return () => JSON.stringify(fixedText(mask))
  const write = mask === 'email' ? emailForm().write : (digits: string) => digits
  return (raw) => JSON.stringify(write(hash(raw.startsWith('"') ? (JSON.parse(raw) as string) : raw)))
}

const isFixed = (mask: Mask): mask is `fixed:${string}` => mask.startsWith('fixed:')

const fixedText = (mask: string): string => mask.slice('fixed:'.length)

function encodingOf({ baseTypeName, baseTypeSchema }: CatalogColumn) {
  const name = baseTypeSchema === 'pg_catalog' ? baseTypeName : ''
  if (['int2', 'int4', 'int8', 'numeric'].includes(name)) return 'number'
  return name === 'bool' ? 'boolean' : name === 'jsonb' ? 'jsonb' : 'text'
}

function isFact({ definitions }: ExportedAggregate, name: string): boolean {
  return definitions.some(({ shape }) => shape.facts.includes(name))
}

function unknown({ bound, exported }: MaskedAggregate, name: string, where: string): UsageError {
  const facts = exported.definitions.flatMap(({ shape }) => shape.facts)
  const known = [...bound.table.columns.map((column) => column.name), ...facts]
  return new UsageError('EW_MASK_UNKNOWN', `there is no column, and no fact of an event, ${where}`, {
    next: `${nearestName(name, known)}A mask that masks nothing would be taken for one that does.`,
    details: { mask: where },
  })
}

function refuseUnknownTables(aggregates: readonly MaskedAggregate[], masks: Masks): void {
  const names = aggregates.flatMap(({ exported: { schema, table } }) => [
    tableName({ schema, name: table }),
    `${schema}.${table}`,
  ])
  const stranger = Object.keys(masks).find((table) => !names.includes(table))
  if (stranger === undefined) return
  throw new UsageError('EW_MASK_UNKNOWN', `no table ${stranger} is exported, and masks are asked for it`, {
    next: `${nearestName(stranger, names)}Leave the mask out, or export its aggregate.`,
    details: { table: stranger },
  })
}
