/** A table of a key and some columns, whose rows have one `Created` event that carries all of them. */
import type pg from 'pg'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { ident, literal } from '../../src/sql/index.js'

export interface SmallTable {
  readonly definition: AggregateDefinition
  readonly name: string
}

/** Makes the table (`columns`: name -> SQL type; `key` names some of them) and the partition of its aggregate. */
export async function smallTable(
  admin: pg.Client,
  name: string,
  columns: Readonly<Record<string, string>>,
  key: readonly string[] = ['id'],
): Promise<SmallTable> {
  const declared = Object.entries(columns).map(([column, type]) => `${ident(column)} ${type}`)
  await admin.query(
    `create table public.${ident(name)} (${declared.join(', ')}, primary key (${key.map(ident).join(', ')}))`,
  )
  await admin.query(`select eventward.create_partition(${literal(name)}, ${literal(`events_${name}`)})`)
  const { rows } = await admin.query<{ attname: string; type: string; nullable: string }>(
    `select attname, pg_catalog.format_type(atttypid, atttypmod) as type, (not attnotnull)::text as nullable
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`public.${ident(name)}`],
  )
  const description = Object.fromEntries(
    rows.map(({ attname, type, nullable }) => [attname, { type, nullable: nullable === 'true' }]),
  )
  // The columns are known at run time only, so the types that a generated file would give are not.
  const table = defineTable<Record<string, never>>()({
    schema: 'public',
    name,
    key,
    columns: description,
  } as never)
  const data = Object.keys(columns).filter((column) => !key.includes(column))
  const definition = defineAggregate({
    name,
    table,
    events: { Created: { creates: true, data } },
  } as never) as unknown as AggregateDefinition
  return { definition, name }
}

/** One `Created` event, its data as given. */
export async function createdEvent(admin: pg.Client, name: string, id: string, data: string): Promise<void> {
  await admin.query(
    `insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
     values ($1, $2, 1, 'Created', $3::jsonb, '2020-01-01Z')`,
    [name, id, data],
  )
}
