import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** An `@example` of a doc comment, made a program. */
export interface Example {
  /** The export whose comment it is. */
  readonly title: string
  readonly program: string
}

/** The examples in the doc comments of the rooms that users import from. */
export function examplesOf(source: string): readonly Example[] {
  return ['definition', 'config'].flatMap((room) =>
    readdirSync(join(source, room))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => examplesIn(readFileSync(join(source, room, file), 'utf8'))),
  )
}

function examplesIn(text: string): readonly Example[] {
  return [...text.matchAll(COMMENT)].flatMap(([, comment = '', title = '']) => {
    const example = /@example\b\s*([\s\S]*?)(?=\n@|$)/.exec(comment.replaceAll(/^\s*\* ?/gm, ''))?.[1]
    return example === undefined ? [] : [{ title, program: programOf(example) }]
  })
}

const COMMENT = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:const|function|type|interface) (\w+)/g

/** Options of an event, and statements that name tables or a definition, get what they stand in. */
function programOf(example: string): string {
  if (/^(when|set):/.test(example)) {
    return `${TABLES}defineAggregate({ name: 'Account', table: tables.accounts,
      events: { Created: { creates: true }, Happened: { ${example} } } })`
  }
  return example.includes('const Subscription')
    ? `const tables = { subscriptions }\n${example}`
    : `const Subscription = seed\n${example}`
}

const TABLES = `
interface AccountsRow {
  id: Integer
  status: 'unpaid' | 'active' | 'paused' | 'held' | 'closed'
  status_id: Integer
  email: string
  activated_at: string | null
  shipped_at: string | null
}
interface OrderStatusesRow { id: Integer; code: string }
const time = { type: 'timestamp with time zone', nullable: true } as const
const number = { type: 'bigint', nullable: false } as const
const text = { type: 'text', nullable: false } as const
const tables = {
  accounts: defineTable<AccountsRow>()({
    schema: 'public', name: 'accounts', key: ['id'],
    columns: { id: number, status: text, status_id: number, email: text, activated_at: time, shipped_at: time },
  }),
  order_statuses: defineTable<OrderStatusesRow>()({
    schema: 'public', name: 'order_statuses', key: ['id'], columns: { id: number, code: text },
  }),
}
`
