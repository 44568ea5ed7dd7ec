import type { Row } from '../definition/index.js'
import { ident, keyColumnSql, type Query, raw, sql } from '../sql/index.js'
import { type CallerConnection, keepSettings, pinLocally, restoreSettings } from './caller-connection.js'
import type { Binding } from './command-binding.js'
import { rowColumns, rowOf, tableSql } from './load-row.js'

export interface Images {
  /** In the order of the keys; without those that are gone. */
  readonly rows: readonly Row[]
  /** The clock: timestamptz text in UTC. */
  readonly now: string
}

/** SQL of a row's key as jsonb, the same under any settings that matter: times in it are ISO 8601. */
export function keyArray({ model }: Binding): string {
  return `pg_catalog.jsonb_build_array(${model.key.map(ident).join(', ')})`
}

/** The rows of these keys (as `keyArray` writes them) as canonical texts. */
export async function loadImages(
  connection: CallerConnection,
  binding: Binding,
  keys: readonly string[],
): Promise<Images> {
  const answers = await connection.run([
    keepSettings,
    pinLocally,
    imagesQuery(binding, keys),
    sql`select clock_timestamp() as now`,
    restoreSettings,
  ])
  return {
    rows: (answers[2]?.rows ?? []).map((texts) => rowOf(binding, texts)),
    now: answers[3]?.rows[0]?.['now'] ?? '',
  }
}

function imagesQuery(binding: Binding, keys: readonly string[]): Query {
  const { key } = binding
  const same = key.columns.map((column) => {
    const place = binding.model.key.indexOf(column.name)
    return `${keyColumnSql(column, 't')} ${column.equal} (k.key ->> ${place})::${column.castType}`
  })
  // To an older snapshot a key that was used again is there twice: as another removed it since, and as we wrote it.
  return sql`
    select distinct on (k.place) ${raw(rowColumns(binding, 't'))}
    from jsonb_array_elements(${`[${keys.join(',')}]`}::jsonb) with ordinality as k (key, place)
    join ${raw(tableSql(binding))} as t on ${raw(same.join(' and '))}
    order by k.place, age(t.xmin)`
}
