import type { CatalogColumn } from '../catalog/index.js'
import type { ColumnMask } from '../config/index.js'
import { type AggregateDefinition, tableName } from '../definition/index.js'
import { UsageError } from '../errors/index.js'
import { emailForm, type HashForm, hashForm } from './mask-hash.js'

/**
 * What stands in an export instead of a value. NULL stays NULL in all of them.
 *
 * - `null`: nothing;
 * - `hash`: a keyed hash in the form of the column's type: one value always has the same one, so joins stay;
 * - `email`: such a hash as an address of `example.invalid`;
 * - `fixed:TEXT`: this very value.
 */
export type Mask = ColumnMask

/** Table (as the command line names it) -> column, or fact of its events -> mask. */
export type Masks = Readonly<Record<string, Readonly<Record<string, Mask>>>>

/**
 * Reads `users.email=hash` as it's written on a command line. The last dot before the sign parts the table from the
 * column.
 *
 * @throws UsageError EW_MASK
 */
export function parseMask(given: string): Masks {
  const sign = given.indexOf('=')
  const name = given.slice(0, Math.max(sign, 0))
  const dot = name.lastIndexOf('.')
  const mask = given.slice(sign + 1)
  if (dot < 1 || dot === name.length - 1 || !isMask(mask))
    throw new UsageError('EW_MASK', `--mask ${given} is not TABLE.COLUMN=null|hash|email|fixed:TEXT`, {
      next: 'Write --mask users.email=hash, for example.',
      details: { mask: given },
    })
  return { [name.slice(0, dot)]: { [name.slice(dot + 1)]: mask } }
}

/** The masks of a configuration, as far as these tables are exported, with those of a command line, which win. */
export function masksFor(
  definitions: readonly AggregateDefinition[],
  configured: Masks,
  given: readonly Masks[],
): Masks {
  const merged = new Map<string, Readonly<Record<string, Mask>>>()
  const add = (table: string, columns: Readonly<Record<string, Mask>>) =>
    merged.set(table, { ...merged.get(table), ...columns })
  for (const { table } of definitions)
    add(tableName(table), masksOf({ schema: table.schema, table: table.name }, configured))
  const named = new Map(definitions.map(({ table }) => [`${table.schema}.${table.name}`, tableName(table)]))
  for (const masks of given) {
    for (const [table, columns] of Object.entries(masks)) add(named.get(table) ?? table, columns)
  }
  return Object.fromEntries([...merged].filter(([, columns]) => Object.keys(columns).length > 0))
}

/** The masks that are meant for a table, whichever way it's named. */
export function masksOf(
  { schema, table }: { readonly schema: string; readonly table: string },
  masks: Masks,
): Readonly<Record<string, Mask>> {
  return { ...masks[tableName({ schema, name: table })], ...masks[`${schema}.${table}`] }
}

/** The form of a hash in a column. @throws UsageError EW_MASK_TYPE */
export function formOf(live: CatalogColumn, mask: 'hash' | 'email', where: string): HashForm {
  const text = ['text', 'varchar', 'bpchar', 'citext'].includes(live.baseTypeName)
  const form = mask === 'hash' ? hashForm(live) : text ? emailForm() : null
  if (form !== null) return form
  throw new UsageError('EW_MASK_TYPE', `${where} is ${live.type}: there is no ${mask} of that form`, {
    next: `Write ${where}=null, or ${where}=fixed:TEXT.`,
    details: { type: live.type },
  })
}

function isMask(text: string): text is Mask {
  return text === 'null' || text === 'hash' || text === 'email' || text.startsWith('fixed:')
}
