/** The examples of a page as programs: blocks, and options in the last cell of a table's row. */
import { fileURLToPath } from 'node:url'
import * as eventward from '../../src/index.js'
import * as names from './page-names.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The blocks of TypeScript. */
export function blocksOf(page: string): readonly string[] {
  return [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
}

/** Options of an event, an aggregate or a configuration, in what they are options of. */
export function optionsOf(page: string): readonly string[] {
  return [...page.matchAll(/\| `((\w+)(?:: .*)?)` *\|$/gm)].map(([, option = '', name = '']) =>
    programOfOption(option, name),
  )
}

const EVENT = ['creates', 'data', 'facts', 'set', 'when', 'schemaVersion', 'from']
const AGGREGATE = ['updatedAt', 'timeZone', 'directWrites', 'residue', 'base', 'upcasters']

function programOfOption(option: string, name: string): string {
  const happened = EVENT.includes(name) ? `Happened: { ${option} }` : ''
  const own = AGGREGATE.includes(name) ? option : ''
  if (happened === '' && own === '') {
    const rest = name === 'aggregates' ? '' : 'aggregates: [Order], '
    return `import { Order } from './order.js'\nexport default defineConfig({ ${rest}${option} })`
  }
  return `import { tables } from './eventward.tables.js'
    defineAggregate({ name: 'Order', table: tables.orders, ${own === '' ? '' : `${own}, `}
      events: { Placed: { creates: true }, Noted: { data: ['note'] }, ${happened} } })`
}

/** A program with imports of all that it names and doesn't declare. */
export function programOf(example: string): string {
  const code = example.replaceAll("from 'eventward'", `from '${ROOT}src/index.js'`)
  const declared = new Set([...code.matchAll(DECLARED)].flatMap(([, what = '']) => what.match(/\w+/g) ?? []))
  const wanted = (all: readonly string[]) =>
    all.filter((name) => !declared.has(name) && new RegExp(`(?<![\\w.'])${name}\\b(?!['\`:])`).test(code))
  const ours = wanted(Object.keys(eventward))
  const others = wanted([...Object.keys(names), ...COMPILER_ALONE]).filter((name) => !ours.includes(name))
  return [
    `import { ${ours.join(', ')} } from '${ROOT}src/index.js'`,
    // Programs that run must not ask for what only the compiler knows.
    ...(others.length === 0 ? [] : [`import { ${others.join(', ')} } from '${ROOT}test/docs/page-names.js'`]),
    code,
    'export {}',
  ].join('\n')
}

const DECLARED =
  /^(?:import|(?:export )?(?:const|class|(?:async )?function|interface|type)) (\{[^}]*\}|\w+)/gm

/** What `page-names.ts` declares without a value. */
const COMPILER_ALONE: readonly string[] = ['knex', 'trx', 'url', 'signal']
