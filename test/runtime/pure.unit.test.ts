import { describe, expect, it } from 'vitest'
import type { BoundColumn } from '../../src/definition/index.js'
import { contextMetadata } from '../../src/runtime/context.js'
import { cutTo } from '../../src/runtime/cut-time.js'
import { withContext } from '../../src/runtime/index.js'
import { jsonText } from '../../src/runtime/json-text.js'
import type { KnexBuilder } from '../../src/runtime/knex-internals.js'
import { mentions, targetOf } from '../../src/runtime/write-target.js'

const column = (declaredType: string) => ({ declaredType }) as BoundColumn
const raw = (sql: string) => ({ isRawInstance: true, sql }) as unknown as KnexBuilder

describe('a moment', () => {
  const moment = { utc: '2020-02-29 23:59:59.98076+00', local: '2020-03-01 05:29:59.98076' }

  it.each([
    ['timestamp with time zone', '2020-02-29 23:59:59.98076+00', '2020-03-01 05:29:59.98076'],
    ['timestamp(3) with time zone', '2020-02-29 23:59:59.98+00', '2020-03-01 05:29:59.98'],
    ['timestamp(0) without time zone', '2020-02-29 23:59:59+00', '2020-03-01 05:29:59'],
    ['date', '2020-02-29 23:59:59.98076+00', '2020-03-01 05:29:59.98076'],
  ])('is cut, and not rounded, to what %s holds', (type, utc, local) => {
    expect(cutTo(moment, [column(type), column('timestamp(5) with time zone')])).toEqual({ utc, local })
  })
})

describe('JSON of metadata', () => {
  it('takes what jsonb takes, and refuses the rest with a code', () => {
    expect(jsonText({ id: 9007199254740993n, gone: undefined }, 'it')).toBe('{"id":"9007199254740993"}')
    expect(jsonText({ a: '\\u0000', b: '☃', c: '\u{1F600}' }, 'it')).toContain('\\\\u0000')
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    for (const bad of ['\0', ['\uD800'], { '\0': 1 }, circle, undefined, () => 1]) {
      expect(() => jsonText(bad, 'it')).toThrow(expect.objectContaining({ code: 'EW_JSON' }))
    }
  })
})

describe('a raw text', () => {
  it.each([
    'update t set a = 1',
    '  -- select\n insert into t values (1)',
    'with x as (delete from t returning *) select * from x',
    'copy t from stdin',
    'select 1; truncate t',
  ])('may write: %s', (text) => {
    expect(targetOf(raw(text)).kind).toBe('raw')
  })

  it.each([
    'select * from t for update',
    'select * from t for no key update skip locked',
    "select 'delete from t'",
    'select $$update t$$, $x$ insert $$ $x$',
    'select 1 /* update t */ -- delete',
    'alter table t add foreign key (a) references b on delete cascade on update set null',
  ])('reads, or is DDL: %s', (text) => {
    expect(targetOf(raw(text)).kind).toBe('read')
  })

  it('names a table by its quoted or its folded name', () => {
    expect(mentions('update public."T" set a = 1', 'T')).toBe(true)
    expect(mentions('update T set a = 1', 'T')).toBe(false)
    expect(mentions('update T set a = 1', 't')).toBe(true)
    expect(mentions('update t2 set t_a = 1', 't')).toBe(false)
    expect(mentions('update "a""b" set a = 1', 'a"b')).toBe(true)
  })
})

describe('contexts', () => {
  it('nest, go on over awaits, and end', async () => {
    expect(contextMetadata()).toBeNull()
    await withContext({ actor: 'ada', requestId: 1 }, async () => {
      await Promise.resolve()
      expect(contextMetadata()).toEqual({ actor: 'ada', request: 1 })
      withContext({ actor: 'bob' }, () => expect(contextMetadata()).toEqual({ actor: 'bob', request: 1 }))
      expect(contextMetadata()).toEqual({ actor: 'ada', request: 1 })
    })
    expect(contextMetadata()).toBeNull()
  })

  it('begin a lazy query that is returned into them', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a query builder is a thenable.
    const lazy = { then: (done: (value: unknown) => void) => done(contextMetadata()) }
    expect(await withContext({ actor: 'ada' }, () => lazy as unknown as PromiseLike<unknown>)).toEqual({
      actor: 'ada',
    })
  })
})
