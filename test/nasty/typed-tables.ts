import type { ColumnType } from './column-types.js'

/**
 * SQL of `schema.every_type` and `schema.every_array`: a column of each type, and of an array of it. Row 0 has NULL in
 * all of them, then one row for each value of the type that has most, the others going round.
 */
export function typedTables(schema: string, types: readonly ColumnType[]): string {
  const rows = Math.max(...types.map(({ values }) => values.length))
  const insert = (table: string, value: (type: ColumnType, row: number) => string) =>
    Array.from({ length: rows }, (_, row) => {
      const values = types.map((type) => value(type, row))
      return `insert into ${schema}.${table} values (${row + 1}, ${values.join(', ')});`
    }).join('\n')
  return `
create table ${schema}.every_type (id integer primary key, ${columns(types, '')});
insert into ${schema}.every_type (id) values (0);
${insert('every_type', ({ values }, row) => valueAt(values, row))}
create table ${schema}.every_array (id bigint primary key, ${columns(types, '[]')});
insert into ${schema}.every_array (id) values (0);
${insert('every_array', ({ type, values }, row) => arrayAt(type, values, row))}
`
}

function columns(types: readonly ColumnType[], suffix: string): string {
  return types.map(({ type }, at) => `c${at} ${type}${suffix}`).join(', ')
}

function valueAt(values: readonly string[], row: number): string {
  return values[row % values.length] ?? 'null'
}

/** Empty, with NULL inside, of two dimensions, with a lower bound of its own, then one value each. */
function arrayAt(type: string, values: readonly string[], row: number): string {
  const value = valueAt(values, row)
  const one = `array[${value}, null]::${type}[]`
  if (row === 0) return `'{}'`
  if (row === 1) return `array[null, ${value}]::${type}[]`
  if (row === 2) return `array[${one}, ${one}]`
  if (row === 3) return `('[-1:0]=' || ${one}::text)::${type}[]`
  return one
}
