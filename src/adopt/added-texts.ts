import { type BoundAggregate, canonicalTexts } from '../bind/index.js'
import type { CatalogColumn, CatalogTable } from '../catalog/index.js'
import type { Session } from '../db/index.js'
import { type Text, tableName } from '../definition/index.js'
import { shellWord, UsageError } from '../errors/index.js'
import type { EventsTable } from '../migrate/index.js'
import {
  qualified,
  raw,
  rowColumn,
  rowOfStreamSql,
  sql,
  textSql,
  typedKey,
  type VerifySource,
} from '../sql/index.js'
import type { RowMove } from '../store/index.js'

/** Rows that are looked at where the catalog does not tell. */
const SAMPLE = 1_000

/**
 * What rows that were there already hold in each added column, as canonical text: what the catalog keeps for them
 * (`attmissingval`), else what the default or the rows leave no doubt about, else what `defaults` say.
 *
 * @throws UsageError EW_DEFAULT_UNKNOWN naming the columns for which nobody can tell, EW_USAGE for a default of a column
 * that was not added, EW_CONSTANT for one that is no value of its column.
 */
export async function addedTexts(
  session: Session,
  { model, table }: BoundAggregate,
  {
    moves,
    defaults,
    events,
  }: {
    readonly moves: readonly RowMove[]
    readonly defaults: Readonly<Record<string, Text>>
    readonly events: EventsTable
  },
): Promise<ReadonlyMap<number, Text>> {
  const held = { model, key: typedKey(model, table.key?.columns ?? []), events }
  const added = moves.filter(({ kind }) => kind === 'added')
  const columns = added.flatMap(({ attnum }) => table.columns.find((one) => one.attnum === attnum) ?? [])
  refuseOthers(table, columns, defaults)
  const texts = new Map<number, Text>()
  const unknown: CatalogColumn[] = []
  for (const column of columns) {
    const text = Object.hasOwn(defaults, column.name)
      ? await given(session, column, defaults[column.name] ?? null)
      : await heldBefore(session, table, column, held)
    if (text === undefined) unknown.push(column)
    else texts.set(column.attnum, text)
  }
  if (unknown.length > 0) throw defaultUnknown(table, unknown)
  return texts
}

async function given(session: Session, column: CatalogColumn, value: Text): Promise<Text> {
  const [text] = await canonicalTexts(session, [{ column, value, where: `--default ${column.name}` }])
  return text ?? null
}

/** Undefined where nobody can tell. */
async function heldBefore(
  session: Session,
  table: CatalogTable,
  column: CatalogColumn,
  source: VerifySource,
): Promise<Text | undefined> {
  const missing = await missingValues(session, table, column)
  if (missing.length > 0) return missing.length === 1 ? missing[0] : undefined
  const { default: declared, identity, nullable } = column
  // Nothing filled it in.
  if (declared === null && !identity && nullable) return null
  // Written anew since, or filled in row by row. What was not written to meanwhile tells, else all old rows do.
  const untouched = await textsHeld(session, source, column, true)
  if (untouched.length > 0) return untouched.length === 1 ? untouched[0] : undefined
  const held = await textsHeld(session, source, column, false)
  if (held.length < 2) return held[0] ?? null
  return declared !== null && CONSTANT.test(declared) ? constant(session, column) : undefined
}

/** A literal, cast or not: the one kind of default of which the text alone tells the value. */
const CONSTANT = /^(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?|\(-\d+(?:\.\d+)?\)|true|false)(?:::[\w ."[\](),]+)*$/

async function constant(session: Session, column: CatalogColumn): Promise<Text> {
  const { text } = await session.one<{ text: string | null }>(sql`
    select format('%s', (${raw(column.default ?? 'null')})::${raw(column.castType)}) as text`)
  return text
}

/** What rows have that were never written since the column was added; a partitioned table keeps it in its leaves. */
async function missingValues(
  session: Session,
  table: CatalogTable,
  column: CatalogColumn,
): Promise<readonly string[]> {
  // An array's text quotes its elements' own output: text[] undoes the quotes, whatever the element's type.
  const rows = await session.rows<{ text: string }>(sql`
    select distinct (a.attmissingval::text::text[])[1] as text
    from pg_attribute a
    where a.attrelid in (
        select ${table.oid}::oid
        union
        select relid from pg_partition_tree(${table.oid}::oid::regclass)
      )
      and a.attname = ${column.name}::text
      and a.atthasmissing`)
  return rows.map(({ text }) => text)
}

/**
 * The different texts (at most two of them) that a sample of rows hold in the column whose streams were begun by a
 * writer that didn't know it; only those that no writer who did has written to, where `untouched`.
 */
async function textsHeld(
  session: Session,
  { model, key, events }: VerifySource,
  { attnum }: CatalogColumn,
  untouched: boolean,
): Promise<readonly Text[]> {
  const slot = model.columns.findIndex((column) => column.attnum === attnum)
  const column = model.columns[slot]
  if (column === undefined) return []
  const knowing = (model.history?.shapes ?? [])
    .filter((shape) => shape.columns.some((known) => known.attnum === attnum))
    .map(({ id }) => id)
  const table = raw(qualified(events.schema, events.table))
  const knows = (alias: 'e' | 'x') =>
    sql`(coalesce(${raw(alias)}.metadata ->> 'shape', '') = any (${knowing}::text[])
          or coalesce(${raw(alias)}.metadata -> 'columns' ? ${String(attnum)}::text, false))`
  const alone = sql`and not exists (
          select
          from ${table} x
          where x.aggregate_type = e.aggregate_type
            and x.aggregate_id = e.aggregate_id
            and ${knows('x')}
        )`
  const rows = await session.rows<{ text: string | null }>(sql`
    select distinct ${raw(textSql(column, `r.${rowColumn(slot)}`))} as text
    from (
      select e.aggregate_id as id
      from ${table} e
      where e.aggregate_type = ${model.name}::text
        and e.version = 1
        and not ${knows('e')}
        ${untouched ? alone : sql``}
      limit ${String(SAMPLE)}::bigint
    ) s
    cross join lateral (${raw(rowOfStreamSql(model, key, { id: 's.id' }))}
    ) r
    limit 2`)
  return rows.map(({ text }) => text)
}

function refuseOthers(
  table: CatalogTable,
  added: readonly CatalogColumn[],
  defaults: Readonly<Record<string, Text>>,
): void {
  const other = Object.keys(defaults).find((name) => !added.some((column) => column.name === name))
  if (other === undefined) return
  throw new UsageError(
    'EW_USAGE',
    `${tableName(table)}: no column ${other} was added that is not adopted yet`,
    {
      next:
        added.length === 0
          ? 'Leave --default out.'
          : `Added were: ${added.map(({ name }) => name).join(', ')}.`,
      details: { table: tableName(table), column: other },
    },
  )
}

function defaultUnknown(table: CatalogTable, columns: readonly CatalogColumn[]): UsageError {
  const name = tableName(table)
  const shown = columns.map(
    (column) => `${column.name}${column.default === null ? '' : ` (default ${column.default})`}`,
  )
  const options = columns.map((column) => `--default ${shellWord(column.name)}`).join(' ')
  return new UsageError(
    'EW_DEFAULT_UNKNOWN',
    `${name}: what did rows that were there already get in ${shown.join(', ')}? The catalog does not tell; nothing was changed`,
    {
      next: `Say it with --default COLUMN=VALUE. Where each row got a value of its own, say NULL (\`eventward adopt ${shellWord(name)} ${options}\`): verify --repair then records each row's own.`,
      details: { table: name, columns: columns.map((column) => column.name) },
    },
  )
}
