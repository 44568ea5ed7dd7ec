import fc from 'fast-check'
import { createJiti } from 'jiti'
import { describe, expect, it } from 'vitest'
import type { AggregateDefinition, TableDescription } from '../../src/definition/index.js'
import { inferAggregate, renderConfig, renderTables } from '../../src/init/index.js'
import { commentText, memberAccess, propertyName, stringLiteral } from '../../src/init/source-text.js'
import { catalogTable, column, enumColumn } from '../catalog/catalog-fixture.js'

describe('source text', () => {
  it('any text stands in a literal as it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', '`', '$', '{') }),
    )
    fc.assert(
      fc.property(text, (value) => {
        expect(new Function(`return ${stringLiteral(value)}`)()).toBe(value)
      }),
    )
  })

  it('any name is a property, `__proto__` too', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (name) => {
        const made = new Function(`return { ${propertyName(name)}: 1 }`)() as Record<string, unknown>
        expect(Object.keys(made)).toEqual([name])
      }),
      { examples: [['__proto__'], ['constructor'], ['1'], ['a-b'], ["it's"], ['class']] },
    )
  })

  it('a member is reached by its name', () => {
    expect(memberAccess('tables', 'rental')).toBe('tables.rental')
    expect(memberAccess('tables', 'app.orders')).toBe("tables['app.orders']")
    expect(memberAccess('tables', "a'b")).toBe("tables['a\\'b']")
  })

  it('a name can not end its comment', () => {
    expect(commentText('a\nprocess.exit()')).toBe('a\\nprocess.exit()')
    expect(commentText('a\u2028b')).not.toMatch(/\u2028(?!.)/)
  })
})

describe('a database without tables', () => {
  it('gets files that import nothing in vain', () => {
    expect(renderTables([])).toMatch(/\nexport const tables = \{\}\n$/)
    const source = renderConfig({ aggregates: [], tables: [] })
    expect(source).toBe(
      "import { defineConfig } from 'eventward'\n\nexport default defineConfig({\n  aggregates: [],\n})\n",
    )
  })
})

describe('the files', () => {
  const hostile = [
    'it\'s "x"',
    'back\\slash',
    'new\nline',
    '__proto__',
    'class',
    '1',
    '$' + '{x}',
    '*/',
    'ünï',
    '`',
  ]
  const table = catalogTable("ta'b\\le\n*/", [
    column('id', 'int8', { nullable: false, identity: true }),
    ...hostile.map((name) => column(name, 'text')),
    enumColumn('status', ["it's", 'a\\b', 'paid'], { default: "'paid'::public.status" }),
    column('twice', 'numeric', { generated: true }),
    column('amount', 'numeric', { type: 'numeric(10,2)', nullable: false, default: '0' }),
  ])
  const other = catalogTable(
    'wide',
    [column('id', 'int4'), ...Array.from({ length: 1200 }, (_, index) => column(`c${index}`, 'text'))],
    { schema: 'app' },
  )
  const tables = [table, other]
  const aggregates = tables.map((each, index) =>
    inferAggregate(each, {
      name: `Thing${index}`,
      statuses: new Map([['status', ["it's"]]]),
      timeZone: 'UTC',
    }),
  )
  const refused = { table: 'bad\n"name"', supported: false, rows: null, events: [] }
  const reasons = [{ code: 'EW_KEY_MISSING', message: 'has no key', next: '' }] as const

  const load = async () => {
    const jiti = createJiti(import.meta.url, {
      fsCache: false,
      virtualModules: {
        eventward: { defineTable: () => (description: unknown) => description },
      },
    })
    const { tables: loaded } = jiti.evalModule(renderTables(tables), {
      filename: '/nowhere/eventward.tables.ts',
      ext: '.ts',
      async: false,
    }) as { tables: Record<string, TableDescription> }
    return loaded
  }

  it('describe every column as the catalog has it, whatever its name', async () => {
    const loaded = await load()
    expect(Object.keys(loaded)).toEqual([table.name, 'app.wide'])
    const described = loaded[table.name]
    expect(described?.key).toEqual(['id'])
    expect(Object.keys(described?.columns ?? {}).sort()).toEqual(table.columns.map(({ name }) => name).sort())
    expect(described?.columns['status']).toEqual({
      type: 'public.status',
      nullable: true,
      hasDefault: true,
      values: ["it's", 'a\\b', 'paid'],
    })
    expect(described?.columns['amount']).toEqual({ type: 'numeric(10,2)', nullable: false, hasDefault: true })
    expect(described?.columns['twice']).toMatchObject({ generated: true })
    expect(Object.keys(loaded['app.wide']?.columns ?? {})).toHaveLength(1201)
  })

  it('hold the definitions, and name what is not moved in a comment of one line', () => {
    const source = renderConfig({ aggregates, tables: [{ ...refused, reasons }] }, ['public', 'app'])
    expect(source).toContain('// Not moved:\n// bad\\n\\"name\\" has no key\n')
    const definitions: AggregateDefinition[] = []
    const jiti = createJiti(import.meta.url, {
      fsCache: false,
      virtualModules: {
        eventward: {
          defineAggregate: (definition: AggregateDefinition) => definitions.push(definition),
          defineConfig: (config: unknown) => config,
          occurredAt: 'occurredAt',
        },
        './eventward.tables.js': { tables: { [table.name]: table.name, 'app.wide': 'wide' } },
      },
    })
    jiti.evalModule(source, { filename: '/nowhere/eventward.config.ts', ext: '.ts' })
    expect(definitions.map(({ name, table: described }) => [name, described])).toEqual([
      ['Thing0', table.name],
      ['Thing1', 'wide'],
    ])
    expect(definitions[0]?.events).toEqual({
      Created: { creates: true, data: [...hostile, 'amount'], set: { status: 'paid' } },
      MarkedItS: { set: { status: "it's" } },
    })
  })
})
