import fc from 'fast-check'

/** A column type with values as a client would write them: edges of the type first, then whatever else it holds. */
export interface ValueType {
  readonly type: string
  readonly value: fc.Arbitrary<string>
  readonly temporal?: true
  /** Where not every value is stored as it is written (a constant must be): those that are. */
  readonly exact?: fc.Arbitrary<string>
}

const edges = (...values: string[]) => fc.constantFrom(...values)
const digits = (max: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${max - 1}}$`))

const anyText = fc.oneof(
  edges(
    '',
    ' ',
    'a',
    'A',
    'ä',
    "it's",
    '\\',
    '"',
    '{}',
    'null',
    'true',
    '1.10',
    '$residue',
    '\u2028',
    '🙂',
    'tab\t\n',
  ),
  fc
    .string({ unit: 'binary', maxLength: 12 })
    .map((text) => text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '')),
)

const numeric = fc
  .tuple(fc.constantFrom('', '-'), digits(12), fc.stringMatching(/^[0-9]{0,4}$/))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`)

const day = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
  .map((parts) => parts.map((part, at) => String(part).padStart(at === 0 ? 4 : 2, '0')).join('-'))
const clock = fc
  .tuple(
    fc.integer({ min: 0, max: 23 }),
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 999_999 }),
  )
  .map(
    ([h, m, us]) =>
      `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}:07.${String(us).padStart(6, '0')}`,
  )
const wholeSeconds = edges('2018-02-01 00:00:00', '2024-03-10 02:30:00', '0044-03-15 12:00 BC', 'infinity')
const instant = fc.tuple(day, clock).map(([date, time]) => `${date} ${time}`)
const dates = fc.oneof(
  edges(
    '2018-02-01',
    '2018-02-02',
    '0044-03-15 BC',
    '4713-11-24 BC',
    'infinity',
    '-infinity',
    '5874897-12-31',
    '294277-01-01',
  ),
  day,
)
// 2024-03-10 02:30 does not exist in New York, 2024-11-03 01:30 exists twice.
const stamps = fc.oneof(
  edges(
    '2018-02-01 00:00:00',
    '2018-02-01',
    '2024-03-10 02:30:00',
    '2024-11-03 01:30:00',
    '0044-03-15 12:00 BC',
    'infinity',
    '-infinity',
    '294276-12-31 23:59:59.999999',
  ),
  instant,
)
const json = fc.oneof(
  edges(
    'null',
    '"null"',
    '1.10',
    '{}',
    '[]',
    '{"a": 1,  "a": 2}',
    '{"10": 1, "9": 2, "a": {"b": [1.0, "x}]"]}}',
    '"\\u00e4\\n"',
    '[1e2, -0, "\\\\"]',
    'true',
  ),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value).replaceAll('\\u0000', '')),
)

/** The common types: what HAZARDS C1 and C2 and the encoding's own borders can trip over. */
export const VALUE_TYPES: readonly ValueType[] = [
  {
    type: 'smallint',
    value: fc.oneof(edges('0', '-32768', '32767'), fc.integer({ min: -32768, max: 32767 }).map(String)),
  },
  { type: 'integer', value: fc.oneof(edges('0', '-2147483648', '2147483647'), fc.integer().map(String)) },
  {
    type: 'bigint',
    value: fc.oneof(
      edges('9007199254740993', '-9223372036854775808'),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
    ),
  },
  {
    type: 'numeric',
    value: fc.oneof(edges('1.1', '1.10', '0', '0.00', '-0', 'NaN', 'Infinity', '1e400', '-1e-9'), numeric),
  },
  { type: 'numeric(20,4)', value: fc.oneof(edges('1', '1.10'), numeric) },
  { type: 'text', value: anyText },
  { type: 'varchar(200)', value: anyText },
  {
    type: 'char(40)',
    value: fc.oneof(
      edges('', 'a', ' a', 'a '),
      fc.string({ maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
    ),
  },
  { type: 'boolean', value: edges('t', 'f') },
  { type: 'uuid', value: fc.uuid() },
  { type: 'public.law_mood', value: edges('sad', 'ok', "it's", '') },
  { type: 'date', value: dates, temporal: true },
  { type: 'timestamp', value: stamps, temporal: true },
  {
    type: 'timestamptz',
    value: fc.oneof(stamps, edges('2018-02-01 00:00:00+05:30', '1700-01-01 12:34:56')),
    temporal: true,
  },
  {
    type: 'timestamptz(0)',
    exact: wholeSeconds,
    value: stamps.filter((text) => !text.startsWith('294276')),
    temporal: true,
  },
  {
    type: 'timestamp(3)',
    exact: wholeSeconds,
    value: stamps.filter((text) => !text.startsWith('294276')),
    temporal: true,
  },
  {
    type: 'interval',
    value: edges('30 days', '1 mon', '-1 day +00:00:01.5', '1 year 2 mons', '720:00:00', '0'),
  },
  { type: 'json', value: fc.oneof(edges('{"a":1, "a":2}', ' {} ', 'null', '"x"'), json) },
  { type: 'jsonb', value: json },
  {
    type: 'bytea',
    value: fc.uint8Array({ maxLength: 6 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  },
  { type: 'integer[]', value: edges('{}', '{1,2}', '[0:1]={1,2}', '{NULL,1}', '{{1,2},{3,4}}') },
  { type: 'text[]', value: edges('{}', '{a,"b c"}', '{"NULL",NULL}', '{"a\\"b","\\\\"}', '{""}') },
  { type: 'real', value: edges('0', '-0', 'NaN', 'Infinity', '1.1', '3.4028235e+38', '1e-45') },
  {
    type: 'double precision',
    value: edges('0', '-0', 'NaN', '-Infinity', '0.1', '1e300', '0.30000000000000004'),
  },
  { type: 'inet', value: edges('10.0.0.1', '10.0.0.0/8', '::1') },
  { type: 'public.law_pair', value: edges('(,)', '(1,)', '(1,"a b")') },
  { type: 'public.law_ci', value: edges('a', 'A', 'ä', 'Ä', '') },
  { type: 'public.law_ci[]', value: edges('{a}', '{A}', '{}') },
  { type: 'public.law_year', value: edges('1999', '2024') },
]

/** What the types above need. */
export const CREATE_TYPES = `
  create type public.law_mood as enum ('sad', 'ok', 'it''s', '');
  create type public.law_pair as (x int, y text);
  -- Equality under this collation is not equality of texts.
  create collation public.law_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create domain public.law_ci as text collate public.law_case;
  create domain public.law_year as integer check (value between 1900 and 2100);
`
