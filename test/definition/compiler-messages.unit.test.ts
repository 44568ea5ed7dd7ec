import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examplesOf } from './examples.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const table = 'table: subscriptions'
const events = (event: string) => `events: { Created: { creates: true }, Done: ${event} }`
const define = (...options: readonly string[]) => `defineAggregate({ name: 'S', ${options.join(', ')} })`

/** Title -> a wrong program, and what its author reads. */
const WRONG: Readonly<Record<string, readonly [program: string, message: string]>> = {
  'a misspelt column in data': [
    define(table, events("{ data: ['statuss'] }")),
    `Refused<"no column 'statuss' in this table">`,
  ],
  'a misspelt column in a rename': [
    define(table, events("{ data: { state: 'statuss' } }")),
    `Refused<"no column 'statuss' in this table">`,
  ],
  'a misspelt column in set': [
    define(table, events("{ set: { statuss: 'active' } }")),
    `Refused<"no column 'statuss' in this table">`,
  ],
  'a misspelt column in when': [
    define(table, events("{ when: not(becomes('statuss', 'active')) }")),
    `Refused<"no column 'statuss' in this table">`,
  ],
  'a column both in data and in set': [
    define(table, events("{ data: ['status'], set: { status: 'active' } }")),
    `Refused<"'status' is both in data and in set">`,
  ],
  'a constant outside an enum': [
    define(table, events("{ set: { status: 'paused' } }")),
    `RefusedValue<"'paused' is no value of 'status'", "active" | "inactive" | "unpaid">`,
  ],
  'a constant outside an enum in when': [
    define(table, events("{ when: becomes('status', 'paused') }")),
    `Refused<"'paused' is no value of 'status'">`,
  ],
  'a constant of the wrong type': [
    define(table, events('{ set: { stripe_key: 12 } }')),
    `RefusedValue<"12 is no value of 'stripe_key'", string | null>`,
  ],
  'null in a column that is not null': [
    define(table, events('{ set: { status: null } }')),
    `Refused<"'status' is not null">`,
  ],
  'occurredAt on a text': [
    define(table, events('{ set: { stripe_key: occurredAt } }')),
    `Refused<"'stripe_key' is no timestamp or date: occurredAt can't be bound to it">`,
  ],
  'a key column in set': [define(table, events('{ set: { id: 1 } }')), `Refused<"'id' is part of the key">`],
  'a generated column': [
    define('table: totals', events("{ data: ['total'] }")),
    `Refused<"'total' is a generated column">`,
  ],
  'an event called as residue is': [
    define(table, 'events: { Created: { creates: true }, Changed: {} }'),
    `Refused<"'Changed' is the name of what no event explains: rename the event, or choose another with residue">`,
  ],
  'no creating event': [
    define(table, "events: { Done: { data: ['status'] } }"),
    'Refused<"no event creates a row: give one of them creates: true">',
  ],
  'a misspelt option': [
    define(table, events('{ creats: true, set: {} }')),
    `Refused<"an event has no option 'creats'">`,
  ],
  'updatedAt without a time': [
    define(table, events('{}'), "updatedAt: 'status'"),
    `'"status"' is not assignable to type '"activated_at" | "created_at" | "deactivated_at"'`,
  ],
}

const RIGHT = define(
  table,
  events("{ data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } }"),
)

const HEAD = `
import {
  type AggregateRow, and, becameNotNull, becomes, changes, defineAggregate, defineConfig, defineTable,
  type EventData, type Integer, is, lookup, not, occurredAt, or, was,
} from '${root}src/index.js'
import { Subscription as seed, subscriptions } from '${root}test/support/subscription.js'
const totals = defineTable<{ id: Integer; total: Integer }>()({
  schema: 'public', name: 'totals', key: ['id'],
  columns: { id: { type: 'bigint', nullable: false }, total: { type: 'bigint', nullable: false, generated: true } },
})
`

/** One run of the compiler for all programs: TypeScript 7 has no API to call it by. */
describe('the compiler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eventward-types-'))
  const complaints = new Map<string, string>()
  const examples = examplesOf(join(root, 'src'))

  beforeAll(() => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    writeFileSync(join(folder, 'right.ts'), HEAD + RIGHT)
    Object.values(WRONG).forEach(([program], index) => {
      writeFileSync(join(folder, `wrong-${index}.ts`), HEAD + program)
    })
    examples.forEach(({ program }, index) => {
      writeFileSync(join(folder, `example-${index}.ts`), HEAD + program)
    })
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
    })
    let file = ''
    for (const line of stdout.split('\n')) {
      file = /([\w-]+\.ts)\(\d+,\d+\): error/.exec(line)?.[1] ?? file
      complaints.set(file, `${complaints.get(file) ?? ''}${line}\n`)
    }
  }, 60_000)

  afterAll(() => rmSync(folder, { recursive: true }))

  it('takes a right definition', () => {
    expect(complaints.get('right.ts')).toBeUndefined()
  })

  it.each(Object.entries(WRONG).map(([title, [, message]], index) => ({ title, message, index })))(
    'refuses $title and says why',
    ({ message, index }) => {
      expect(complaints.get(`wrong-${index}.ts`)).toContain(message)
    },
  )

  it.each(examples.map(({ title }, index) => ({ title, index })))(
    'takes the example of $title',
    ({ index }) => {
      expect(complaints.get(`example-${index}.ts`)).toBeUndefined()
    },
  )

  it('finds the examples of what is exported', () => {
    expect(examples.map(({ title }) => title)).toEqual(
      expect.arrayContaining([
        'defineAggregate',
        'defineTable',
        'occurredAt',
        'lookup',
        'becomes',
        'EventData',
      ]),
    )
  })
})

const config = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: {
    noUnusedLocals: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(root, 'node_modules/@types')],
  },
  include: ['*.ts'],
}
