import type { Compiled, KnexBuilder } from './knex-internals.js'

/** What a builder is about to do, as far as its text tells. */
export type Target =
  | { readonly kind: 'read' }
  /** `schema` is null where the name is found by search_path; `table` is null where it can't be told. */
  | {
      readonly kind: 'insert' | 'update' | 'del' | 'other'
      readonly schema: string | null
      readonly table: string | null
    }
  /** A text of the application's own; `mayWrap` is false for what can't run in a transaction, or controls one. */
  | { readonly kind: 'raw'; readonly text: string; readonly mayWrap: boolean }

const READS: ReadonlySet<string> = new Set(['select', 'first', 'pluck', 'columnInfo'])

/** Reads a builder without running it. Pure. */
export function targetOf(builder: KnexBuilder): Target {
  if (builder.isRawInstance === true) return rawTarget(builder.sql ?? '')
  const method = builder._method
  if (method === undefined) return { kind: 'read' } // a schema builder: DDL is seen by its own means
  const hasWith = (builder._statements ?? []).some(({ grouping }) => grouping === 'with')
  if (READS.has(method) && !hasWith) return { kind: 'read' }
  const compiled = builder.toSQL() as Compiled
  if (hasWith || READS.has(method)) return rawTarget(compiled.sql)
  const [schema, table] = tableOf(compiled.sql)
  const kind = method === 'insert' || method === 'update' || method === 'del' ? method : 'other'
  return { kind, schema, table }
}

const NAME = '"(?:[^"]|"")*"'
const HEAD = new RegExp(
  `^\\s*(?:insert\\s+into|update|delete\\s+from|truncate)\\s+(?:only\\s+)?(?:(${NAME})\\.)?(${NAME})`,
  'i',
)

/** The table of a statement that knex compiled: its names are quoted, whatever mappers the application has. */
function tableOf(text: string): readonly [schema: string | null, table: string | null] {
  const [, schema, table] = HEAD.exec(text) ?? []
  return [unquoted(schema), unquoted(table)]
}

function unquoted(name: string | undefined): string | null {
  return name === undefined ? null : name.slice(1, -1).replaceAll('""', '"')
}

function rawTarget(text: string): Target {
  const code = withoutTexts(text)
  if (!WRITES.test(code)) return { kind: 'read' }
  return { kind: 'raw', text: code, mayWrap: /^\s*(insert|update|delete|merge|with)\b/i.test(code) }
}

/** `for update` and `on update` (of foreign keys) write nothing. */
const WRITES = /(?<!\bfor\s+(no\s+key\s+)?)(?<!\bon\s+)\b(insert|update|delete|merge|truncate|copy)\b/i

/** Without comments and quoted texts, which only look like code. Names in double quotes stay. */
function withoutTexts(text: string): string {
  return text.replace(
    /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"/g,
    (token) => (token.startsWith('"') ? token : ' '),
  )
}

/** Whether a text without quoted texts names this table, in any schema, quoted or not. */
export function mentions(text: string, table: string): boolean {
  const names = text.match(/"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []
  return names.some((name) =>
    name.startsWith('"') ? unquoted(name) === table : name.toLowerCase() === table,
  )
}
