import type { CatalogColumn } from '../../src/catalog/index.js'
import { ident } from '../../src/sql/index.js'
import type { LoadTable } from './load-table.js'
import type { Random } from './random.js'
import { letter, randomValue } from './random-value.js'

export const KINDS = ['insert', 'update', 'several', 'delete', 'upsert', 'key change'] as const
export type Kind = (typeof KINDS)[number]

/** A statement of the application; it returns whole rows, a ticket and the transaction. */
export interface Statement {
  readonly kind: Kind
  readonly table: LoadTable
  readonly text: string
  readonly values: readonly (string | null)[]
  /** Of a key change: the key before. */
  readonly oldKey?: readonly string[]
}

const RETURNING = `returning *, nextval('load.ticket') as "~ticket", pg_current_xact_id() as "~xid"`

/** A random statement on a random table. `tables` are all of them, for foreign keys. */
export function randomStatement(random: Random, tables: readonly LoadTable[]): Statement {
  const table = random.pick(tables)
  const kind = random.weighted({
    insert: 20,
    update: 40,
    several: 8,
    delete: table.deleteReaches ? 0 : 14,
    upsert: 12,
    'key change': table.referenced.size === 0 && table.key.every(({ identity }) => !identity) ? 6 : 0,
  })
  if (table.keys.length === 0) return insert(random, table, tables, 'insert')
  switch (kind) {
    case 'insert':
    case 'upsert':
      return insert(random, table, tables, kind)
    case 'delete': {
      const bind = new Binding()
      return bind.statement(
        kind,
        table,
        `delete from ${table.qualified} where ${bind.keyIs(table, someKey(random, table))}`,
      )
    }
    case 'key change': {
      const bind = new Binding()
      const oldKey = someKey(random, table)
      const row = newRow(random, table, tables)
      const set = table.key.map(
        (column) => `${ident(column.name)} = ${bind.value(column, row.get(column.name) ?? null)}`,
      )
      const text = `update ${table.qualified} set ${set.join(', ')} where ${bind.keyIs(table, oldKey)}`
      return { ...bind.statement(kind, table, text), oldKey }
    }
    default:
      return update(random, table, tables, kind)
  }
}

function update(random: Random, table: LoadTable, tables: readonly LoadTable[], kind: Kind): Statement {
  const free = table.columns.filter(
    ({ name, identity }) =>
      !identity && !table.referenced.has(name) && table.key.every((part) => part.name !== name),
  )
  if (free.length === 0) return insert(random, table, tables, 'upsert')
  const bind = new Binding()
  const row = newRow(random, table, tables)
  const changed = free.filter(() => random.chance(1.5 / free.length))
  const set = (changed.length === 0 ? [random.pick(free)] : changed).flatMap(({ name }) =>
    togetherWith(table, name).filter((other) => free.some((column) => column.name === other)),
  )
  const assigned = [...new Set(set)].map((name) => {
    const column = table.columns.find((one) => one.name === name)!
    // Half of the time the value depends on the row: a lost update would show.
    const own = /^int[48]$/.test(column.baseTypeName) && !isForeign(table, name) && random.chance(0.5)
    return `${ident(name)} = ${own ? `(${ident(name)} + 1) % 30000` : bind.value(column, row.get(name) ?? null)}`
  })
  const wanted = kind === 'several' ? [1, 2, 3].map(() => someKey(random, table)) : [someKey(random, table)]
  const where = wanted.map((key) => `(${bind.keyIs(table, key)})`).join(' or ')
  return bind.statement(kind, table, `update ${table.qualified} set ${assigned.join(', ')} where ${where}`)
}

function insert(
  random: Random,
  table: LoadTable,
  tables: readonly LoadTable[],
  kind: 'insert' | 'upsert',
): Statement {
  const bind = new Binding()
  const row = newRow(random, table, tables)
  // A key that is there (or was): 23505 for an insert, the other branch for an upsert, a key used again.
  if (table.keys.length > 0 && random.chance(kind === 'upsert' ? 0.7 : 0.15)) {
    const key = someKey(random, table)
    for (const [index, { name }] of table.key.entries()) row.set(name, key[index] ?? null)
  }
  const given = table.columns.filter(({ default: standard, name }) =>
    // What has a default may be left to it.
    standard === null || kind === 'upsert' || isKey(table, name) ? true : random.chance(0.6),
  )
  const columns = given.map(({ name }) => ident(name)).join(', ')
  const values = given.map((column) => bind.value(column, row.get(column.name) ?? null)).join(', ')
  const free = given.filter(({ name }) => !isKey(table, name) && !table.referenced.has(name))
  const target = table.key.map(({ name }) => ident(name)).join(', ')
  const action =
    free.length === 0 || random.chance(0.2)
      ? 'nothing'
      : `update set ${free.map(({ name }) => `${ident(name)} = excluded.${ident(name)}`).join(', ')}`
  const conflict = kind === 'upsert' ? ` on conflict (${target}) do ${action}` : ''
  return bind.statement(
    kind,
    table,
    `insert into ${table.qualified} (${columns}) overriding system value values (${values})${conflict}`,
  )
}

/** A row as another one, with values of its own and a key that nobody has yet. */
function newRow(random: Random, table: LoadTable, tables: readonly LoadTable[]): Map<string, string | null> {
  const like = table.samples.length === 0 ? {} : random.pick(table.samples)
  const row = new Map(
    table.columns.map((column) => [column.name, randomValue(random, column, like[column.name] ?? null)]),
  )
  for (const column of table.key) row.set(column.name, freshKey(random, table, column))
  for (const { columns, parent, parentColumns } of table.foreignKeys) {
    const source = tables.find(({ name }) => name === parent)
    const other = source === undefined ? like : pickParent(random, source)
    columns.forEach((name, index) => {
      const from = source === undefined ? name : (parentColumns[index] ?? name)
      // A parent that isn't written by this load: as another row has it.
      row.set(name, other[from] ?? null)
    })
  }
  return row
}

/** Mostly a parent that is there; now and then one that is deleted meanwhile: 23503. */
function pickParent(random: Random, parent: LoadTable): Readonly<Record<string, string | null>> {
  const whole = random.pick(parent.samples)
  if (parent.keys.length === 0 || !random.chance(0.5)) return whole
  const key = random.pick(parent.keys)
  return { ...whole, ...Object.fromEntries(parent.key.map(({ name }, index) => [name, key[index] ?? null])) }
}

/** A key of one integer counts up; others are random over so much that few are there already. */
function freshKey(random: Random, table: LoadTable, column: CatalogColumn): string | null {
  if (table.greatest !== null) {
    table.greatest += 1n
    return String(table.greatest)
  }
  switch (column.baseTypeName) {
    case 'int2':
      return String(100 + random.below(32_000))
    case 'int4':
    case 'int8':
      return String(100_000 + random.below(1_000_000))
    case 'date':
      return `2${100 + random.below(900)}-0${1 + random.below(9)}-1${random.below(10)}`
    case 'text':
    case 'varchar':
      return Array.from({ length: 8 }, () => letter(random)).join('')
    default:
      return randomValue(
        random,
        { ...column, nullable: false },
        random.pick(table.samples)[column.name] ?? null,
      )
  }
}

/** One of few keys half of the time: there writers meet. */
function someKey(random: Random, table: LoadTable): readonly string[] {
  return random.chance(0.4) ? random.pick(table.keys.slice(0, 4)) : random.pick(table.keys)
}

function isKey(table: LoadTable, name: string): boolean {
  return table.key.some((part) => part.name === name)
}

function isForeign(table: LoadTable, name: string): boolean {
  return table.foreignKeys.some(({ columns }) => columns.includes(name))
}

/** A foreign key of several columns is set as a whole. */
function togetherWith(table: LoadTable, name: string): readonly string[] {
  return table.foreignKeys.find(({ columns }) => columns.includes(name))?.columns ?? [name]
}

class Binding {
  readonly #values: (string | null)[] = []

  value(column: CatalogColumn, value: string | null): string {
    this.#values.push(value)
    return `$${this.#values.length}::text::${column.castType}`
  }

  keyIs({ key }: LoadTable, values: readonly string[]): string {
    return key
      .map((column, index) => `${ident(column.name)} = ${this.value(column, values[index]!)}`)
      .join(' and ')
  }

  statement(kind: Kind, table: LoadTable, text: string): Statement {
    return { kind, table, text: `${text} ${RETURNING}`, values: this.#values }
  }
}
