import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Encoding } from '../../src/definition/index.js'
import {
  compareInstants,
  decodeText,
  encodeText,
  keyOfStream,
  members,
  streamId,
  textOfInstant,
  utcOfText,
} from '../../src/encode/index.js'

const texts: Record<Encoding, fc.Arbitrary<string>> = {
  number: fc.oneof(
    fc.constantFrom('0', '-0', '1.10', '1.1', 'NaN', 'Infinity', '-Infinity', '9007199254740993'),
    fc.bigInt().map(String),
  ),
  boolean: fc.constantFrom('t', 'f'),
  jsonb: fc.constantFrom('null', '"null"', '1.10', 'true', '{"a": 1.0, "10": [null]}', '[]', '{}', '"{}"'),
  text: fc.string({ unit: 'grapheme' }),
}

describe('encodeText', () => {
  it.each(Object.keys(texts) as Encoding[])('of %s gives back every text, and NULL', (encoding) => {
    fc.assert(
      fc.property(fc.option(texts[encoding], { nil: null }), (text) => {
        const raw = encodeText(encoding, text)
        expect(() => JSON.parse(raw)).not.toThrow()
        expect(decodeText(encoding, raw)).toBe(text)
      }),
    )
  })

  it('keeps apart what JSON.parse would make equal', () => {
    expect(encodeText('number', '1.10')).not.toBe(encodeText('number', '1.1'))
    expect(encodeText('number', '9007199254740993')).toBe('9007199254740993')
    expect(encodeText('jsonb', 'null')).toBe('"null"')
    expect(encodeText('jsonb', null)).toBe('null')
    expect(encodeText('text', 'NaN')).toBe('"NaN"')
  })
})

describe('members', () => {
  it('gives the raw text of each member as it stands', () => {
    const json = '{"10": 1.10, "9": {"a": [1.0, "}]\\""]}, "q\\"": "x\\\\", "__proto__": null, "": true}'
    expect([...members(json)]).toEqual([
      ['10', '1.10'],
      ['9', '{"a": [1.0, "}]\\""]}'],
      ['q"', '"x\\\\"'],
      ['__proto__', 'null'],
      ['', 'true'],
    ])
  })

  it('finds the same members as JSON.parse in any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const found = members(JSON.stringify(object, null, 1))
        expect(new Map([...found].map(([name, raw]) => [name, JSON.parse(raw)]))).toEqual(
          new Map(Object.entries(JSON.parse(JSON.stringify(object)))),
        )
      }),
    )
  })

  it('finds none in an empty object', () => {
    expect([...members('{}')]).toEqual([])
  })
})

describe('streamId', () => {
  it('is the text of a key of one column, whatever it looks like', () => {
    expect(streamId(['["a"]'])).toBe('["a"]')
    expect(keyOfStream('["a"]', 1)).toEqual(['["a"]'])
  })

  it('is a JSON array for more, and never ambiguous', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), (key) => {
        expect(keyOfStream(streamId(key), key.length)).toEqual(key)
      }),
    )
    expect(streamId(['a,b', 'c'])).not.toBe(streamId(['a', 'b,c']))
  })

  it('of a corrupt id is no key, not an exception', () => {
    expect(keyOfStream('[1,2]', 2)).toBeNull()
    expect(keyOfStream('["a"]', 2)).toBeNull()
    expect(keyOfStream('nonsense', 2)).toBeNull()
  })
})

describe('instants', () => {
  const inOrder = [
    '-infinity',
    '4713-11-24 00:00:00+00 BC',
    '0044-03-15 00:00:00+00 BC',
    '0044-03-15 00:00:00.000001+00 BC',
    '0043-01-01 00:00:00+00 BC',
    '0001-01-01 00:00:00+00',
    '2018-02-01 00:00:00+00',
    '2018-02-01 00:00:00.05+00',
    '2018-02-01 00:00:00.5+00',
    '9999-12-31 00:00:00+00',
    '10000-01-01 00:00:00+00',
    'infinity',
  ]

  it('are ordered as PostgreSQL orders them', () => {
    inOrder.forEach((a, i) => {
      inOrder.forEach((b, j) => {
        expect(Math.sign(compareInstants(a, b)), `${a} and ${b}`).toBe(Math.sign(i - j))
      })
    })
  })

  it('are read from and written to each time type', () => {
    expect(utcOfText('date', '0044-03-15 BC')).toBe('0044-03-15 00:00:00+00 BC')
    expect(utcOfText('timestamp', '2018-02-01 10:00:00.5')).toBe('2018-02-01 10:00:00.5+00')
    expect(utcOfText('date', '294276-12-31')).toBe('294276-12-31 00:00:00+00')
    expect(utcOfText('date', '294277-01-01')).toBeNull()
    expect(textOfInstant('date', '0044-03-15 00:00:00+00 BC', '0044-03-15 00:00:00 BC')).toBe('0044-03-15 BC')
    expect(textOfInstant('date', 'infinity', 'infinity')).toBe('infinity')
  })
})
