/** A key of one type: what `create table` says about its columns, and rows. */
export interface KeyedTable {
  readonly name: string
  readonly columns: string
  readonly rows: readonly string[]
  /** Further statements; `$t` is the table. */
  readonly afterwards?: string
}

/** Keys of many types, in many forms. Each row begins with its key; the columns behind it are of no matter. */
export const KEYED: readonly KeyedTable[] = [
  {
    name: 'k_negative',
    columns: 'id int primary key, v text',
    rows: [`-2147483648, 'x'`, `-1, null`, `0, ''`, `7, 'y'`],
  },
  { name: 'k_smallint', columns: 'id smallint primary key, v int', rows: ['-5, 1', '10, 2', '9, 3'] },
  {
    name: 'k_uuid',
    columns: 'id uuid primary key, v int',
    rows: [`'ffffffff-0000-0000-0000-000000000000', 1`, `'00000000-0000-0000-0000-00000000000A', 2`],
  },
  {
    name: 'k_text',
    columns: 'id text primary key, v int',
    rows: [
      `'', 1`,
      `' ', 2`,
      `'b', 3`,
      `'B', 4`,
      `'é', 5`,
      `'["1"]', 6`,
      `E'a\\nb\\\\', 7`,
      `repeat('k', 2600), 8`,
      `'10', 9`,
      `'9', 10`,
    ],
  },
  {
    name: 'k_icu',
    columns: 'id text collate keys.german primary key, v int',
    rows: [`'Z', 1`, `'ä', 2`, `'a', 3`, `'Ä', 4`, `'z', 5`],
  },
  {
    name: 'k_nondeterministic',
    columns: 'id text collate keys.ignore_case primary key, v int',
    rows: [`'Müller', 1`, `'STRASSE', 2`, `'a', 4`, `'B', 5`],
  },
  {
    name: 'k_nondeterministic_pair',
    columns: 'a text collate keys.ignore_case, b int, v int, primary key (a, b)',
    rows: [`'x', 1, 1`, `'X', 2, 2`, `'Y', 1, 3`],
  },
  {
    name: 'k_numeric',
    columns: 'id numeric primary key, v int',
    rows: [
      '1.0, 1',
      '1.10, 2',
      `'NaN', 3`,
      `'Infinity', 4`,
      '-0.00, 5',
      '100000000000000000000000000000000.5, 6',
    ],
  },
  {
    name: 'k_timestamptz',
    columns: 'at timestamptz primary key, v int',
    rows: [`'infinity', 1`, `'-infinity', 2`, `'2024-01-01 00:00:00.000001+05', 3`, `'0044-03-15 BC', 4`],
  },
  {
    name: 'k_date',
    columns: 'day date primary key, v int',
    rows: [`'infinity', 1`, `'5874897-12-31', 2`, `'4713-11-24 BC', 3`, `'2024-01-01', 4`],
  },
  {
    name: 'k_enum',
    columns: 'id keys.size primary key, v int',
    rows: [`'small', 1`, `'large', 2`, `'it''s', 3`],
  },
  { name: 'k_char', columns: 'id char(5) primary key, v int', rows: [`'a', 1`, `'abcde', 2`, `'', 3`] },
  { name: 'k_varchar', columns: 'id varchar(10) primary key, v int', rows: [`'a ', 1`, `'a', 2`] },
  { name: 'k_quoted_char', columns: 'id "char" primary key, v int', rows: [`'a', 1`, `'', 2`] },
  { name: 'k_name', columns: 'id name primary key, v int', rows: [`'a', 1`, `'B', 2`] },
  { name: 'k_bytea', columns: 'id bytea primary key, v int', rows: [`'', 1`, `'\\x00', 2`, `'\\xff5c', 3`] },
  { name: 'k_boolean', columns: 'id boolean primary key, v int', rows: ['true, 1', 'false, 2'] },
  { name: 'k_domain', columns: 'id keys.customer_number primary key, v int', rows: ['1, 1', '99, 2'] },
  {
    name: 'k_enum_domain',
    columns: 'id keys.size_domain primary key, v int',
    rows: [`'small', 1`, `'large', 2`],
  },
  { name: 'k_array_domain', columns: 'id keys.names primary key, v int', rows: [`'{a,NULL}', 1`, `'{}', 2`] },
  {
    name: 'k_domain_pair',
    columns: 'id keys.names, size keys.size_domain, r keys.range_domain, v int, primary key (size, id, r)',
    rows: [`'{a}', 'small', '[1,2]', 1`, `'{}', 'large', 'empty', 2`],
  },
  {
    name: 'k_float',
    columns: 'id float8 primary key, v int',
    rows: [`'-0', 1`, `'NaN', 2`, `'-Infinity', 3`, '0.1, 4', '1e22, 5', '5e-324, 6'],
  },
  { name: 'k_real', columns: 'id real primary key, v int', rows: ['0.1, 1', '16777216, 2'] },
  {
    name: 'k_interval',
    columns: 'id interval primary key, v int',
    rows: [`'1 mon', 1`, `'31 days', 2`, `'-1 year', 3`],
  },
  { name: 'k_inet', columns: 'id inet primary key, v int', rows: [`'10.0.0.1/24', 1`, `'::1', 2`] },
  { name: 'k_cidr', columns: 'id cidr primary key, v int', rows: [`'10.0.0.0/24', 1`] },
  { name: 'k_money', columns: 'id money primary key, v int', rows: ['1234.5, 1', '-1, 2'] },
  {
    name: 'k_jsonb',
    columns: 'id jsonb primary key, v int',
    rows: [`'{"a": 1.0}', 1`, `'null', 2`, `'"x"', 3`, `'1', 4`],
  },
  {
    name: 'k_array',
    columns: 'id text[] primary key, v int',
    rows: [`'{a,NULL}', 1`, `'{}', 2`, `'{"a,b"}', 3`],
  },
  { name: 'k_range', columns: 'id int4range primary key, v int', rows: [`'[1,3]', 1`, `'empty', 2`] },
  {
    name: 'k_composite',
    columns: 'id keys.pair primary key, v int',
    rows: [`row(1, 'a,"b'), 1`, `row(null, null), 2`],
  },
  { name: 'k_bit', columns: 'id bit(4) primary key, v int', rows: [`B'1010', 1`] },
  { name: 'k_varbit', columns: 'id varbit primary key, v int', rows: [`B'1', 1`, `B'', 2`] },
  { name: 'k_lsn', columns: 'id pg_lsn primary key, v int', rows: [`'A/0', 1`, `'9/0', 2`] },
  { name: 'k_xid8', columns: 'id xid8 primary key, v int', rows: [`'18446744073709551615', 1`] },
  { name: 'k_tid', columns: 'id tid primary key, v int', rows: [`'(1,2)', 1`] },
  { name: 'k_oid', columns: 'id oid primary key, v int', rows: [`'4294967295', 1`, `'5', 2`] },
  {
    name: 'k_regclass',
    columns: 'id regclass primary key, v int',
    rows: [`'pg_class', 1`, `'4000000000', 2`],
  },
  { name: 'k_time', columns: 'id timetz primary key, v int', rows: [`'12:00+01', 1`, `'12:00-01', 2`] },
  { name: 'k_macaddr', columns: 'id macaddr primary key, v int', rows: [`'08:00:2b:01:02:03', 1`] },
  { name: 'k_tsvector', columns: 'id tsvector primary key, v int', rows: [`'a:1', 1`] },
  {
    name: 'k_pattern',
    columns: 'id text not null, v int',
    rows: [`'b', 1`, `'B', 2`, `'ä', 3`],
    afterwards: 'create unique index on $t (id text_pattern_ops)',
  },
  {
    name: 'k_bpchar_pattern',
    columns: 'id char(3) not null, v int',
    rows: [`'b', 1`, `'B', 2`],
    afterwards: 'create unique index on $t (id bpchar_pattern_ops desc)',
  },
  {
    name: 'k_unique',
    columns: 'a int not null, b text not null, v int',
    rows: [`1, 'x', 1`, `2, 'x', 2`],
    afterwards: 'create unique index on $t (b desc, a desc) include (v)',
  },
  {
    name: 'k_three',
    columns: 'c text, v int, a int, b timestamptz, primary key (b, a, c)',
    rows: [
      `'["x', 1, 1, '2024-01-01'`,
      `'', 2, 1, 'infinity'`,
      `'z', 3, 0, '2024-01-01'`,
      `'a', 4, 1, '2024-01-01'`,
    ],
  },
  {
    name: 'k_mixed_order',
    columns: 'a int, b text collate keys.german, c numeric, primary key (a, b, c)',
    rows: [`1, 'ä', 1.0`, `1, 'z', -1`, `1, 'Z', 2`, `-1, 'a', 'NaN'`],
  },
  { name: 'k_only', columns: 'a int, b int, primary key (b, a)', rows: ['1, 2', '2, 1'] },
  { name: 'k_single', columns: 'id text primary key', rows: [`'x'`, `''`] },
  {
    name: 'k_residue_name',
    columns: '"$residue" int primary key, "$x" int, v int',
    rows: ['1, 2, 3', '2, null, null'],
  },
]

/** Where citext is there. */
export const KEYED_BY_EXTENSION: readonly KeyedTable[] = [
  {
    name: 'k_citext',
    columns: 'id ext.citext primary key, v int',
    rows: [`'Ab', 1`, `'b', 2`, `'C', 3`, `'', 4`],
  },
  {
    name: 'k_citext_pair',
    columns: 'id ext.citext, n int, v int, primary key (n, id)',
    rows: [`'Ab', 1, 1`, `'b', 1, 2`, `'AB', 2, 3`],
  },
  { name: 'k_email', columns: 'id ext.email primary key, v int', rows: [`'A@b.example', 1`] },
]

/** What the keys above need. */
export const KEYS_SQL = `
create schema keys;
create collation keys.german (provider = icu, locale = 'de-DE');
create collation keys.ignore_case (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
create type keys.size as enum ('large', 'small', 'it''s');
create type keys.pair as (a int, b text);
create domain keys.size_domain as keys.size;
create domain keys.names as text[];
create domain keys.range_domain as int4range;
create domain keys.customer_number as int check (value > 0);
`

export function keyedTables(tables: readonly KeyedTable[]): string {
  return tables
    .map(({ name, columns, rows, afterwards }) => {
      const table = `keys.${name}`
      const inserts = rows.map((row) => `insert into ${table} values (${row});`)
      return `create table ${table} (${columns});\n${afterwards === undefined ? '' : `${afterwards.replaceAll('$t', table)};\n`}${inserts.join('\n')}`
    })
    .join('\n')
}
