/** A column type, and literals of it as they stand in SQL: the odd ones first. */
export interface ColumnType {
  readonly type: string
  readonly values: readonly string[]
  /** The server must be at least this: 18. */
  readonly since?: number
}

const q = (text: string) => `'${text.replaceAll("'", "''")}'`
const all = (...texts: string[]) => texts.map(q)

const TIMES = [
  'infinity',
  '-infinity',
  '4713-11-24 00:00:00 BC',
  '294276-12-31 23:59:59.999999',
  '0001-12-31 23:59:59.5 BC',
  '2024-02-29 12:00:00.000001',
  '9999-12-31 00:00:00',
]

/** Every base type of pg_catalog that has an input which a person can write. */
export const BUILT_IN: readonly ColumnType[] = [
  { type: 'smallint', values: all('-32768', '32767', '0') },
  { type: 'integer', values: all('-2147483648', '2147483647', '0') },
  { type: 'bigint', values: all('-9223372036854775808', '9223372036854775807', '9007199254740993') },
  {
    type: 'numeric',
    values: [
      ...all('NaN', 'Infinity', '-Infinity', '1.0', '1.00', '-0.0', '0.000', '1e-20', '1.10'),
      `repeat('123456789', 1112)::numeric`,
      `('-0.' || repeat('0123456789', 1000))::numeric`,
      `'1e131000'::numeric`,
    ],
  },
  { type: 'numeric(10,2)', values: all('1', '-99999999.99', '0', 'NaN') },
  { type: 'numeric(3,-2)', values: all('12300', '99900') },
  { type: 'numeric(2,4)', values: all('0.0012') },
  { type: 'real', values: all('NaN', '-0', '1e-45', '3.4028235e38', 'Infinity', '0.1', '16777217') },
  {
    type: 'double precision',
    values: all('NaN', '-0', '0', '5e-324', '1.7976931348623157e308', '-Infinity', '0.1', '1e22'),
  },
  { type: 'money', values: all('-92233720368547758.08', '12345.67', '0') },
  { type: 'boolean', values: ['true', 'false'] },
  {
    type: 'text',
    values: [
      ...all(
        '',
        ' ',
        'null',
        '{"a": 1}',
        '[1,2]',
        '"quoted"',
        'true',
        '1.10',
        "it's",
        '\\',
        '\\x41',
        '$residue',
      ),
      ...all(
        '{}',
        '()',
        'a,b',
        '\\N',
        '\\.',
        '%s %I',
        '$1',
        '$' + '{x}',
        "'; drop table x; --",
        '-- x',
        '/* x',
      ),
      `E'\\t\\n\\r\\b\\f\\x01\\x1f\\x7f'`,
      `E'\\u00a0\\u2028\\u2029\\ufeff\\ufffd\\uffff\\U0010FFFF'`,
      `E'e\\u0301 \\u00e9 \\U0001F468\\u200d\\U0001F469 \\u202eabc \\u0130\\u0131\\u00df'`,
      `repeat('lorem ipsum "\\" ', 65536)`,
    ],
  },
  { type: 'varchar', values: all('', ' trailing  ') },
  { type: 'varchar(3)', values: all('', 'abc', 'a  ') },
  { type: 'char(4)', values: all('', 'a', 'abcd', ' b') },
  { type: 'bpchar', values: all('', 'x  ') },
  { type: '"char"', values: all('', 'a', '\\', '"') },
  { type: 'name', values: [...all('', 'a"b'), `repeat('n', 63)`] },
  { type: 'bytea', values: [...all('', '\\x00ff', '\\xdeadbeef'), `decode(repeat('ff00', 10000), 'hex')`] },
  {
    type: 'uuid',
    values: all('00000000-0000-0000-0000-000000000000', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
  },
  {
    type: 'date',
    values: all('infinity', '-infinity', '4713-11-24 BC', '5874897-12-31', '0001-01-01 BC', '2024-02-29'),
  },
  { type: 'timestamp', values: all(...TIMES) },
  { type: 'timestamp(0)', values: all('2024-01-01 00:00:00.5', 'infinity') },
  {
    type: 'timestamptz',
    values: all(
      ...TIMES.map((time) => (time.includes('BC') ? time : `${time}${time.includes(':') ? '+00' : ''}`)),
    ),
  },
  { type: 'timestamptz(3)', values: all('1900-01-01 00:00:00.1234+05:53:28') },
  { type: 'time', values: all('00:00:00', '24:00:00', '23:59:59.999999') },
  { type: 'time(0)', values: all('12:00:00.6') },
  { type: 'timetz', values: all('00:00:00+15:59', '24:00:00-15:59', '12:00:00.000001+00') },
  {
    type: 'interval',
    values: all(
      '30 days',
      '1 mon',
      '-1 year 2 mons -3 days 04:05:06.789',
      '0',
      '24:00:00',
      '-00:00:00.000001',
      '178000000 years',
    ),
  },
  { type: 'interval', values: all('infinity', '-infinity'), since: 18 },
  { type: 'interval year to month', values: all('13 months') },
  { type: 'interval second(2)', values: all('1.239 seconds') },
  { type: 'bit', values: [`B'1'`, `B'0'`] },
  { type: 'bit(5)', values: [`B'10101'`, `B'00000'`] },
  { type: 'varbit', values: [`B''`, `B'0'`, `B'1010'`] },
  { type: 'varbit(8)', values: [`B'101'`] },
  { type: 'inet', values: all('10.0.0.1', '10.0.0.1/24', '::1', '::ffff:1.2.3.4/128') },
  { type: 'cidr', values: all('10.0.0.0/8', '::/0', '10.0.0.1/32') },
  { type: 'macaddr', values: all('08:00:2b:01:02:03') },
  { type: 'macaddr8', values: all('08:00:2b:01:02:03:04:05') },
  { type: 'point', values: all('(-0,0)', '(NaN,Infinity)', '(1e-300,0.1)') },
  { type: 'line', values: all('{1,-1,0}', '{0.1,2,3}') },
  { type: 'lseg', values: all('[(0,0),(1,-0)]') },
  { type: 'box', values: all('(1,1),(0,0)', '(0,1),(1,0)') },
  { type: 'path', values: all('((0,0),(1,1))', '[(0,0),(1,1),(2,0)]') },
  { type: 'polygon', values: all('((0,0),(1,1),(1,0))') },
  { type: 'circle', values: all('<(0,0),-0>', '<(1,2),3.5>') },
  { type: 'tsvector', values: all('', "a:1A fat:2B,4C cat:5D 'it''s':3 '\\\\':9") },
  { type: 'tsquery', values: all('', "fat:ab & !(rat | 'it''s':*) <-> cat") },
  {
    type: 'json',
    values: all('{"a":1, "a": 2}', ' [1.0,  1e2] ', 'null', '"\\u0000"', '-0', '1E400', '"x"'),
  },
  {
    type: 'jsonb',
    values: all(
      '{"a": 1.10}',
      'null',
      '"null"',
      '"{}"',
      'true',
      '1.0',
      '-0',
      '1e400',
      '[]',
      '{}',
      '[null]',
      '""',
      '{"": {"$residue": 1}}',
    ),
  },
  {
    type: 'jsonpath',
    values: all('$', 'strict $."a b"[*] ? (@.x > 1.0 && @ like_regex "^\\\\d" flag "i")', 'lax $.**{2 to 3}'),
  },
  {
    type: 'xml',
    values: all(
      '',
      '<a b="1">&lt;</a>',
      'text only',
      '<a/><b/>',
      '<?xml version="1.0"?><a/>',
      '<!-- c --><a>é</a>',
    ),
  },
  { type: 'oid', values: all('0', '4294967295') },
  { type: 'xid', values: all('0', '4294967295') },
  { type: 'xid8', values: all('0', '18446744073709551615') },
  { type: 'cid', values: all('7') },
  { type: 'tid', values: all('(0,1)', '(4294967295,65535)') },
  { type: 'pg_lsn', values: all('0/0', 'FFFFFFFF/FFFFFFFF') },
  { type: 'pg_snapshot', values: all('10:20:10,14,15') },
  { type: 'txid_snapshot', values: all('10:20:10,14,15') },
  { type: 'regclass', values: all('pg_class', '-', '4000000000', 'types.every_type', 'types."odd ""table"') },
  { type: 'regtype', values: all('integer', '-', 'types.mood', '4000000000', 'timestamp with time zone') },
  { type: 'regproc', values: all('-', 'pg_catalog.now', '4000000000') },
  { type: 'regprocedure', values: all('pg_catalog.abs(integer)', '-') },
  { type: 'regoper', values: all('0', 'pg_catalog.||/') },
  { type: 'regoperator', values: all('pg_catalog.+(integer,integer)', '0') },
  { type: 'regconfig', values: all('english', '-') },
  { type: 'regdictionary', values: all('simple') },
  { type: 'regrole', values: all('-', '4000000000', 'pg_monitor') },
  { type: 'regnamespace', values: all('pg_catalog', 'types', '-') },
  { type: 'regcollation', values: all('"C"', '-') },
  { type: 'int2vector', values: all('', '1 2 -3') },
  { type: 'oidvector', values: all('', '1 2 3') },
  { type: 'refcursor', values: all('', 'a "cursor"') },
  { type: 'aclitem', values: all('=r/pg_monitor') },
  { type: 'int4range', values: all('empty', '[1,5)', '(,)', '[,3]') },
  { type: 'int8range', values: all('[1,9223372036854775806]', '(,1)') },
  { type: 'numrange', values: all('[1.0,1.00]', '(1.10,NaN]', 'empty') },
  { type: 'tsrange', values: all('["2024-01-01 00:00:00",infinity]', '[,)', '(-infinity,)') },
  { type: 'tstzrange', values: all('[2024-01-01 00:00:00+05,)', 'empty') },
  { type: 'daterange', values: all('[2024-01-01,2024-01-01]', '[,infinity]') },
  { type: 'int4multirange', values: all('{}', '{[1,2),[5,)}') },
  { type: 'int8multirange', values: all('{[1,2)}') },
  { type: 'nummultirange', values: all('{[1.0,1.10],(2,3)}') },
  { type: 'tsmultirange', values: all('{["2024-01-01 10:00:00","2024-01-02 00:00:00")}') },
  { type: 'tstzmultirange', values: all('{[2024-01-01 00:00:00+05,)}') },
  { type: 'datemultirange', values: all('{[2024-01-01,2024-01-05),[2025-01-01,)}') },
]

/** What users make of them: enums, composites, domains over each other, ranges, base types. See `TYPES_SQL`. */
export const USER_MADE: readonly ColumnType[] = [
  { type: 'types.mood', values: all('happy', 'it\'s "odd", really', 'a\\b', '(x)', '{y}', ' ') },
  { type: 'types."Odd ""Type"', values: all('é') },
  { type: 'types.int4', values: all('one', 'two') },
  {
    type: 'types.pair',
    values: [`row(null, null, null)`, `row('', null, 'happy')`, `row('a"b\\,( ', -0.0, null)`].map(
      (row) => `${row}::types.pair`,
    ),
  },
  {
    type: 'types.nested',
    values: [`row(null, null)::types.nested`, `row(row('x', 1.10, 'happy'), array['a', null])::types.nested`],
  },
  { type: 'types.posint', values: all('1') },
  { type: 'types.posint2', values: all('2') },
  { type: 'types.tags', values: all('{}', '{a,NULL,"NULL",""}') },
  { type: 'types.mood_domain', values: all('happy') },
  { type: 'types.moods_domain', values: all('{happy,"a\\\\b"}') },
  { type: 'types.pair_domain', values: [`row('d', 1.0, 'happy')::types.pair`] },
  { type: 'types.created_on', values: all('2024-01-01 00:00:00+00') },
  { type: 'types.document', values: all('{"a": 1.0}', 'null') },
  { type: 'types.amount', values: all('1.10') },
  { type: 'types.floatrange', values: all('[-0,0.1]', 'empty', '(NaN,)') },
  { type: 'types.floatmultirange', values: all('{[1,2],[3,4]}') },
  { type: 'types.textrange', values: all('[a,b]', '["",","]') },
  { type: 'types.cents', values: all('-5', '7') },
  { type: 'types.level', values: all('low', 'high') },
]

/** Where the extensions that ship with the server are there. */
export const EXTENSIONS: readonly ColumnType[] = [
  { type: 'ext.citext', values: all('', 'Ab', 'aB ', 'true') },
  { type: 'ext.hstore', values: all('', '"a"=>"1", "b"=>NULL', '"a b"=>"\\"\\\\"') },
  { type: 'ext.ltree', values: all('', 'Top.Science') },
  { type: 'ext.lquery', values: all('Top.*{1,2}.a|b') },
  { type: 'ext.cube', values: all('(1, 2),(3, 4)') },
  { type: 'ext.isbn13', values: all('978-0-393-04002-9') },
  { type: 'ext.email', values: all('A@b.example') },
]

/** The types that the tables above need. */
export const TYPES_SQL = `
create schema types;
create type types.mood as enum ('happy', 'it''s "odd", really', E'a\\\\b', '(x)', '{y}', ' ');
create type types."Odd ""Type" as enum ('é');
create type types.int4 as enum ('one', 'two');
create type types.pair as (a text, "B c" numeric, mood types.mood);
create type types.nested as (inner_pair types.pair, list text[]);
create domain types.posint as integer check (value > 0);
create domain types.posint2 as types.posint check (value < 100);
create domain types.tags as text[] check (coalesce(array_length(value, 1), 0) < 10);
create domain types.mood_domain as types.mood;
create domain types.moods_domain as types.mood[];
create domain types.pair_domain as types.pair;
create domain types.created_on as timestamptz(0);
create domain types.document as jsonb;
create domain types.amount as numeric(10,2) default 0;
create type types.floatrange as range (subtype = float8, subtype_diff = float8mi, multirange_type_name = types.floatmultirange);
create type types.textrange as range (subtype = text, collation = "C");
create type types.cents;
create function types.cents_in(cstring) returns types.cents language internal immutable strict as 'int4in';
create function types.cents_out(types.cents) returns cstring language internal immutable strict as 'int4out';
create type types.cents (input = types.cents_in, output = types.cents_out, internallength = 4, passedbyvalue, alignment = int4);
-- A legacy application's convenience: its cast of texts means something else than the type's own input.
create type types.level as enum ('low', 'high');
create function types.level_of(text) returns types.level language sql immutable
  as $$ select case $1 when 'low' then 'high'::types.level else 'low'::types.level end $$;
create cast (text as types.level) with function types.level_of(text) as implicit;
create table types."odd ""table" (id integer primary key);
`
