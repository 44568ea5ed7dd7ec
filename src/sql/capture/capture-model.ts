import type { BoundColumn, BoundModel } from '../../definition/index.js'
import { qualified } from '../ident.js'

/** The text of these types is the same under any settings. */
const SETTINGS_FREE: ReadonlySet<string> = new Set(
  [
    ['int2', 'int4', 'int8', 'numeric', 'oid', 'bool'],
    [
      'text',
      'varchar',
      'bpchar',
      'name',
      'uuid',
      'json',
      'jsonb',
      'inet',
      'cidr',
      'macaddr',
      'bit',
      'varbit',
    ],
  ]
    .flat()
    .map((type) => qualified('pg_catalog', type)),
)

/** The model as compiled trigger code sees it: texts that a setting changes are written by `eventward.enc`. */
export function modelOfTriggers(model: BoundModel): BoundModel {
  return {
    ...model,
    columns: model.columns.map((column) => ({ ...column, textBy: textBy(column) })),
  }
}

function textBy({ castType, faithful, plainText }: BoundColumn): string | null {
  // Of types that are not built in, only an enum is faithful.
  const isEnum = faithful && !castType.startsWith('"pg_catalog"')
  return plainText || isEnum || SETTINGS_FREE.has(castType) ? null : 'eventward.enc'
}

/** The model as the cold path sees it: every column is its text, read by name. */
export function modelOfTexts(model: BoundModel): BoundModel {
  const columns = model.columns.map(
    (column): BoundColumn => ({
      ...column,
      castType: qualified('pg_catalog', 'text'),
      encoding: 'text',
      faithful: false,
      composite: false,
      plainText: true,
    }),
  )
  return { ...model, columns }
}
