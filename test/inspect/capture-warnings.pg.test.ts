/** What plan and doctor say of capture before it is turned on. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { LoadedConfig } from '../../src/config/index.js'
import { doctor, plan } from '../../src/inspect/index.js'
import { counters } from '../capture/counters.js'
import { testDatabase } from '../support/database.js'

describe('before capture is turned on', () => {
  const db = testDatabase()
  const tables = ['plain', 'parts', 'forced', 'ordered', 'ruled', 'large'] as const
  const config: LoadedConfig = {
    path: '/eventward.config.ts',
    connection: null,
    knexfile: null,
    schemas: ['public'],
    events: { schema: 'public', table: 'events' },
    aggregates: tables.map((name) => counters(db, name).definition),
    freshnessSeconds: 3_600,
    lockTimeoutMs: 400,
  }

  beforeAll(async () => {
    const columns = '(id bigint primary key, a integer, b integer, note text)'
    await db.admin.query(`
      create table public.plain ${columns};
      create table public.parts ${columns} partition by range (id);
      create table public.parts_low partition of public.parts for values from (0) to (100);
      create table public.forced ${columns};
      alter table public.forced enable row level security;
      alter table public.forced force row level security;
      create table public.ordered ${columns};
      create function public.nothing() returns trigger language plpgsql as $$ begin return new; end $$;
      create trigger "~~mine" before update on public.ordered for each row execute function public.nothing();
      create table public.ruled ${columns};
      create rule aside as on update to public.ruled do also select 1;
      create table public.large ${columns};
      insert into public.large select i, i, i, null from generate_series(1, 20000) i;
      analyze public.large;
      do $do$ begin
        execute format('alter database %I set default_transaction_isolation = serializable', current_database());
      end $do$`)
  })

  const warningsOf = async (table: string) => {
    const [planned] = await plan(db.database, config, { tables: [table] })
    return planned?.warnings.join('\n') ?? ''
  }

  it('plan tells what stands in its way, and how to remove it', async () => {
    expect(await warningsOf('forced')).toMatch(/row level security is forced.*no force row level security/)
    expect(await warningsOf('ordered')).toMatch(/"~~mine" on public.ordered would fire after ours.*rename/i)
    expect(await warningsOf('ruled')).toMatch(/rule aside on public.ruled/)
    expect(await warningsOf('plain')).not.toContain("can't be captured")
  })

  it('plan tells which locks it takes, what TRUNCATE will cost, and who runs SERIALIZABLE', async () => {
    const [planned] = await plan(db.database, config, { tables: ['large'] })
    expect(planned?.locks.join()).toMatch(/SHARE ROW EXCLUSIVE.*ACCESS EXCLUSIVE/s)
    expect(planned?.warnings.join()).toMatch(/TRUNCATE writes an event for each of its 2\d{4} rows/)
    expect(planned?.warnings.join()).toMatch(/SERIALIZABLE \(the database's default\)/)
    expect(await warningsOf('plain')).not.toContain('TRUNCATE')
    expect(await warningsOf('parts')).toMatch(/run `eventward capture on` again after a partition/)
  })

  it('doctor stops at each table of the configuration that could not be captured', async () => {
    const findings = await doctor(db.database, config)
    expect(
      findings
        .filter(({ check, severity }) => check === 'capture' && severity === 'stop')
        .map(({ table }) => table)
        .sort(),
    ).toEqual(['forced', 'ordered', 'ruled'])
  })

  it('doctor gives a superuser the grants of a role of its own, names quoted', async () => {
    await db.admin.query(`do $do$ begin
        if not exists (select from pg_roles where rolname = 'Own er') then create role "Own er"; end if;
      end $do$; alter table public.plain owner to "Own er"`)
    const [role] = (await doctor(db.database, config)).filter(({ check }) => check === 'role')
    expect(role).toMatchObject({ severity: 'warn', message: expect.stringContaining('superuser') })
    expect(role?.next).toContain('grant "Own er" to "eventward"')
    expect(role?.next).not.toContain('postgres')
    await db.admin.query('alter table public.plain owner to postgres; drop role "Own er"')
  })
})
