const WIDE = 1_500

/** Kinds of tables: partitions, generated columns, names, statuses, cycles, triggers, and what can't be moved. */
export const SHAPES_SQL = `
create schema app;
create schema "Shop ""No. 1"" é";
create schema "select";

-- Partitioned: by range with a level below it, by list with a default, by hash; one partition has its columns in
-- another order and a dropped one between them.
create table app.measurements (day date not null, sensor int not null, value numeric, note text, primary key (day, sensor)) partition by range (day);
create table app.measurements_2023 partition of app.measurements for values from (minvalue) to ('2024-01-01');
create table app.measurements_2024 partition of app.measurements for values from ('2024-01-01') to ('2025-01-01') partition by list (sensor);
create table app.measurements_2024_odd partition of app.measurements_2024 for values in (1, 3, 5);
create table app.measurements_2024_rest partition of app.measurements_2024 default;
create table app.measurements_later (note text, gone int, value numeric, sensor int not null, day date not null, primary key (day, sensor));
alter table app.measurements_later drop column gone;
alter table app.measurements attach partition app.measurements_later for values from ('2025-01-01') to (maxvalue);
insert into app.measurements
select date '2023-06-01' + n * 17, n % 7, n / 3.0, case when n % 5 = 0 then null else 'n ' || n end from generate_series(1, 60) n;
insert into app.measurements values ('infinity', 1, 'NaN', ''), ('-infinity', 2, null, null);
create table app.visits (id uuid not null, region text not null, at timestamptz, primary key (region, id)) partition by list (region);
create table app.visits_eu partition of app.visits for values in ('eu', 'uk');
create table app.visits_other partition of app.visits default;
insert into app.visits
select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, (array['eu', 'uk', 'us', ''])[n % 4 + 1], now() from generate_series(1, 20) n;
create table app.hashed (id bigint primary key, v text) partition by hash (id);
create table app.hashed_0 partition of app.hashed for values with (modulus 2, remainder 0);
create table app.hashed_1 partition of app.hashed for values with (modulus 2, remainder 1);
insert into app.hashed select n, 'v' from generate_series(-10, 10) n;
create table app.partitioned_empty (id int primary key) partition by range (id);

-- Identity, generated columns, dropped columns, no columns but the key, no rows.
create table app.identities (
  id bigint generated always as identity primary key,
  gone text,
  price numeric(10,2) not null default 0.10,
  quantity int not null default 1,
  total numeric generated always as (price * quantity) stored,
  search tsvector generated always as (to_tsvector('simple', 'x')) stored
);
alter table app.identities drop column gone;
alter table app.identities add column added text default 'later';
insert into app.identities (price, quantity) values (1.10, 2), (0, 0), (99.99, 3);
create table app.empty_plain (id int primary key, v text, created_at timestamptz, status text);
create table app.events (id int primary key, type text, data jsonb, metadata json, version int, position bigint, aggregate_id text);
insert into app.events values (1, 'Created', '{"$residue": {"id": 2}}', '{}', 9, 9, 'x');

-- Wide.
create table app.wide (id int primary key, ${Array.from({ length: WIDE - 1 }, (_, n) => `c${n} ${n % 3 === 0 ? 'text' : n % 3 === 1 ? 'int' : 'boolean'}`).join(', ')});
insert into app.wide (id) values (1);
insert into app.wide values (2, ${Array.from({ length: WIDE - 1 }, (_, n) => (n % 3 === 0 ? `'t${n}'` : n % 3 === 1 ? n : 'true')).join(', ')});

-- Names.
create table "Shop ""No. 1"" é"."Order's ""lines""; --" (
  "Order Id" int,
  "order id" text,
  "it's" text,
  "quo""te" text,
  "back\\slash" text,
  "$1" text,
  "\${x}" text,
  "%s" text,
  "new
line" text,
  " space " text,
  "数量" int,
  "ключ" text,
  "__proto__" text,
  "constructor" text,
  "toString" text,
  "a" text, "b" text, "e" text, "n" text, "q" text, "r" text, "s" text, "t" text, "u" text, "x" text, "c0" text, "a1" text,
  "found" text, "id" text, "data" text, "version" text, "row" text, "type" text, "oid" text, "started_at" text,
  "$residue" text,
  "$$" text,
  "123" text,
  "${'n'.repeat(63)}" text,
  "${'é'.repeat(31)}" text,
  primary key ("order id", "Order Id")
);
insert into "Shop ""No. 1"" é"."Order's ""lines""; --" ("Order Id", "order id") values (1, 'only the key'), (2, '');
insert into "Shop ""No. 1"" é"."Order's ""lines""; --"
select 3, '"', ${['it', 'q', '\\\\', '1', 'x', '%I', 'nl', ' '].map((text) => `E'${text}'`).join(', ')}, 5, 'да', 'proto', 'cons', 'str',
  ${Array.from({ length: 24 }, (_, n) => `'v${n}'`).join(', ')};
create table "Shop ""No. 1"" é".orders (id int primary key, v text);
insert into "Shop ""No. 1"" é".orders values (1, 'shop');
create table public.orders (id int primary key, v text);
insert into public.orders values (1, 'public'), (2, 'public');
create table app.orders (id int primary key, v text);
insert into app.orders values (1, 'app');
create table app."Orders" (id int primary key, v text);
insert into app."Orders" values (1, 'app, upper');
create table app.order (id int primary key, v text);
insert into app.order values (1, 'singular');
create table "select"."table" ("from" int primary key, "where" text, "order" text, "user" text, "all" int[], "default" text);
insert into "select"."table" values (1, 'x', 'y', 'z', '{1}', 'd');
create table "select"."${'long_'.repeat(12)}abc" (id int primary key, v text);
create table "select"."${'long_'.repeat(12)}abd" (id int primary key, v text);
insert into "select"."${'long_'.repeat(12)}abc" values (1, 'c');
insert into "select"."${'long_'.repeat(12)}abd" values (1, 'd');
create table "select"."___" (id int primary key, v text);
create table "select"."💥" (id int primary key, "💥" text);
insert into "select"."💥" values (1, '💥');
create table "select"."1st" (id int primary key, "__proto__" text);
create table "select"."__proto__" (id int primary key, v text);
insert into "select"."__proto__" values (1, 'p');
create table public.constructor (id int primary key, "hasOwnProperty" text);
insert into public.constructor values (1, 'c');
create table public."toString" (id int primary key, v text);
insert into public."toString" values (1, 'c');
create table app.tables (id int primary key, "occurredAt" timestamptz, "defineAggregate" text);
insert into app.tables values (1, now(), 'x');
create table app."defineAggregate" (id int primary key);
insert into app."defineAggregate" values (1);
create table app."A.b" (id int primary key);
insert into app."A.b" values (1);

-- Statuses and times, as they are found.
create type app.order_state as enum ('draft', 'in transit', 'Delivered!', 'cancelled', '');
create table app.lifecycles (
  id serial primary key,
  status text default 'new',
  payment_status varchar(20) not null default 'unpaid'::character varying,
  state app.order_state default 'draft',
  stage smallint default 0,
  created_at timestamptz not null default now(),
  paid_at timestamp,
  shipped_on date,
  delivered_at timestamptz(0),
  cancelled_at timestamp(3),
  cancelled_by int,
  cancellation_reason text,
  deleted_at timestamptz,
  updated_at timestamp
);
insert into app.lifecycles (status, payment_status, state, stage, created_at, paid_at, shipped_on, delivered_at, cancelled_at, cancelled_by, cancellation_reason, deleted_at, updated_at) values
  ('new', 'unpaid', 'draft', 0, '2024-01-01', null, null, null, null, null, null, null, null),
  ('paid', 'paid', 'in transit', 1, '2024-01-02', '2024-01-01', '2023-01-01', '2022-01-01', null, null, null, null, '2021-01-01'),
  ('shipped', 'refunded', 'Delivered!', 2, '2999-01-01', '2998-01-01', '2997-01-01', '3000-01-01', '2024-01-01', 7, 'far', '2999-12-31', 'infinity'),
  (null, '', '', null, 'infinity', 'infinity', 'infinity', 'infinity', '-infinity', null, null, '-infinity', '-infinity'),
  ('paused', 'PAID', 'cancelled', -1, '4713-11-24 00:00:00+00 BC', '4713-11-24 BC', '4713-11-24 BC', '4713-11-25 00:00:00+00 BC', null, 0, '', null, '4713-11-24 BC'),
  ('PAID', 'Paid ', null, 32767, '294276-12-31 00:00:00+00', '294276-12-31', '5874897-12-31', null, '294276-12-30', null, 'x', null, '294276-12-31 23:59:59.999999'),
  ('it''s "odd"; --', '''', null, 5, '2024-03-31 01:30:00+00', '2024-03-31 02:30:00', '2024-03-31', '2024-10-27 00:30:00+00', '2024-10-27 02:30:00.123', null, E'a\\nb', null, '2024-10-27 02:30:00');
create table app.dated (day date primary key, created_on date, closed_on date, modified timestamp);
insert into app.dated values ('2024-01-01', '5874897-12-31', 'infinity', null), ('2024-01-02', '4713-11-24 BC', null, 'infinity'), ('2024-01-03', null, '-infinity', '-infinity');

-- Foreign keys in a cycle, to itself; legacy triggers; what the legacy application does to its own rows.
create table app.departments (id int primary key, head_id int, parent_id int references app.departments);
create table app.employees (id int primary key, department_id int not null references app.departments on delete cascade);
alter table app.departments add foreign key (head_id) references app.employees deferrable initially deferred;
begin;
insert into app.departments values (1, 10, null), (2, null, 1);
insert into app.employees values (10, 1), (11, 2);
commit;
create table app.audited (id int primary key, v text, last_update timestamptz);
create function app.touch() returns trigger language plpgsql as $$ begin new.last_update := now(); return new; end $$;
create trigger zz_touch before insert or update on app.audited for each row execute function app.touch();
create function app.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
create trigger refuse_update before update or delete on app.audited for each statement execute function app.refuse();
insert into app.audited values (1, 'x', null);
create table app.ruled (id int primary key, v text);
insert into app.ruled values (1, 'x');
create rule no_delete as on delete to app.ruled do instead nothing;
create table app.guarded (id int primary key, v text);
insert into app.guarded values (1, 'mine'), (2, 'other');
alter table app.guarded enable row level security;
create policy mine on app.guarded using (v = 'mine');
create table app.forced (id int primary key, v text);
insert into app.forced values (1, 'mine'), (2, 'other');
alter table app.forced enable row level security;
alter table app.forced force row level security;
create policy mine on app.forced using (v = 'mine');
`

/** What only PostgreSQL 18 has: columns computed on reading, a key without overlaps, NOT NULL that is not yet checked. */
export const SHAPES_18_SQL = `
create table app.virtual (id int primary key, a int, b int generated always as (a * 2) virtual, c int generated always as (a * 3) stored);
insert into app.virtual (id, a) values (1, 1), (2, null);
create extension btree_gist;
create table app.bookings (room int, during daterange, v text, id int not null unique, primary key (room, during without overlaps));
insert into app.bookings values (1, '[2024-01-01,2024-02-01)', 'x', 1), (1, '[2024-02-01,2024-03-01)', 'y', 2);
create table app.unchecked (id int primary key, code text unique);
insert into app.unchecked values (1, null);
alter table app.unchecked add constraint code_not_null not null code not valid;
`

/** Tables that can't be moved, with the code of the reason. */
export const REFUSED: Readonly<Record<string, string>> = {
  'refused.no_key': 'EW_KEY_MISSING',
  'refused.no_columns': 'EW_KEY_MISSING',
  'refused.nullable_unique': 'EW_KEY_MISSING',
  'refused.partial_unique': 'EW_KEY_MISSING',
  'refused.expression_unique': 'EW_KEY_MISSING',
  'refused.deferrable': 'EW_KEY_DEFERRABLE',
  'refused.unlogged': 'EW_TABLE_UNLOGGED',
  'refused.parent': 'EW_TABLE_INHERITS',
  'refused.child': 'EW_TABLE_INHERITS',
  'refused.remote': 'EW_TABLE_FOREIGN',
}

export const REFUSED_SQL = `
create schema refused;
create table refused.no_key (a int, b text);
insert into refused.no_key values (1, 'x'), (1, 'x');
create table refused.no_columns ();
create table refused.nullable_unique (a int unique);
create table refused.partial_unique (a int not null);
create unique index on refused.partial_unique (a) where a > 0;
create table refused.expression_unique (a text not null);
create unique index on refused.expression_unique (lower(a));
create table refused.deferrable (id int primary key deferrable);
create unlogged table refused.unlogged (id int primary key);
create table refused.parent (id int primary key);
create table refused.child (primary key (id)) inherits (refused.parent);
create view refused.a_view as select 1 as id;
create materialized view refused.materialized as select 1 as id;
create foreign data wrapper nowhere;
create server nowhere foreign data wrapper nowhere;
create foreign table refused.remote (id int) server nowhere;
`
