import { describe, expect, it } from 'vitest'
import { sqlstateOf } from '../../src/db/index.js'
import { testDatabase } from '../support/database.js'
import { backendPid, waitUntilBlocked } from '../support/race.js'

const INSERT = `insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)`

describe('a stored event', () => {
  const db = testDatabase()
  const ready = async () => {
    await db.admin.query(
      `select eventward.create_partition('A', 'events_a'), eventward.create_partition('B', 'events_b')`,
    )
    await db.admin.query(
      `${INSERT} values ('A', '1', 1, 'Created', '{"n": 1}', now()) on conflict do nothing`,
    )
  }
  const attempts = [
    `update public.events set data = '{}'`,
    `update public.events_a set data = '{}'`,
    `update public.events set aggregate_type = 'B'`,
    `delete from public.events`,
    `delete from public.events_a`,
    `truncate public.events`,
    `truncate only public.events_a`,
    `truncate public.events_b cascade`,
    `${INSERT} values ('A', '1', 1, 'Created', '{}', now())
      on conflict (aggregate_type, aggregate_id, version) do update set data = '{}'`,
    `merge into public.events_a e using (select 1) s on true when matched then delete`,
  ]

  it.each(['origin', 'replica', 'local'])(
    'can not be changed or removed, session_replication_role %s',
    async (role) => {
      await ready()
      const client = await db.client()
      await client.query(`set session_replication_role = ${role}`)
      for (const attempt of attempts) {
        const error = await client.query(attempt).then(
          () => undefined,
          (caught: unknown) => caught,
        )
        expect(sqlstateOf(error), attempt).toBe('EW001')
        expect((error as Error).message).toMatch(
          /^public\.events(_[ab])? is append-only: (update|delete|truncate) is refused$/,
        )
      }
      const { rows } = await db.admin.query('select data from public.events')
      expect(rows).toEqual([{ data: '{"n": 1}' }])
    },
  )

  it('is guarded by triggers that are ENABLE ALWAYS on the table and on every partition', async () => {
    await ready()
    const { rows } = await db.admin.query(
      `select tgrelid::regclass::text as on, tgname as name, tgenabled as state from pg_trigger
       where tgfoid = 'eventward.refuse_change'::regproc order by 1, 2`,
    )
    const each = ['events', 'events_a', 'events_b'].flatMap((on) => [
      { on, name: 'eventward_append_only', state: 'A' },
      ...(on === 'events' ? [] : [{ on, name: 'eventward_append_only_own', state: 'A' }]),
      { on, name: 'eventward_no_truncate', state: 'A' },
    ])
    expect(rows).toEqual(each)
  })

  it('has no place where its aggregate type is unknown', async () => {
    const insert = db.admin.query(`${INSERT} values ('Unknown', '1', 1, 'Created', '{}', now())`)
    await expect(insert).rejects.toMatchObject({ code: '23514' })
  })

  it('has its transaction’s id before it draws a position: defaults are evaluated in the order of columns', async () => {
    const { rows } = await db.admin.query(`
      select a.attname as name from pg_attribute a
      where a.attrelid = 'public.events'::regclass and a.attnum > 0 and a.attname in ('position', 'transaction_id')
      order by a.attnum`)
    expect(rows.map(({ name }) => name)).toEqual(['transaction_id', 'position'])
  })

  it('is written with a position and the transaction that wrote it', async () => {
    await ready()
    const { rows } = await db.admin.query(
      `${INSERT} values ('A', '2', 1, 'Created', '{}', now()), ('B', '2', 1, 'Created', '{}', now())
       returning position, transaction_id = pg_current_xact_id() as own, metadata, schema_version`,
    )
    const [first, second] = rows as { position: string }[]
    expect(BigInt(second!.position)).toBe(BigInt(first!.position) + 1n)
    expect(rows[0]).toMatchObject({ own: 't', metadata: '{}', schema_version: '1' })
    const sequence = await db.admin.query(
      `select cache_size from pg_sequences where schemaname = 'public' and sequencename = 'events_position_seq'`,
    )
    expect(sequence.rows).toEqual([{ cache_size: '1' }])
  })
})

describe('a partition', () => {
  const db = testDatabase()

  it('made twice is one', async () => {
    const make = (type: string, name: string) =>
      db.admin.query<{ name: string }>('select eventward.create_partition($1, $2) as name', [type, name])
    const first = await make(`O'Neill \\ "x"`, 'events_one')
    expect(first.rows).toEqual([{ name: 'public.events_one' }])
    expect((await make(`O'Neill \\ "x"`, 'another_name')).rows).toEqual(first.rows)
    const client = await db.client()
    await client.query('set standard_conforming_strings = off')
    expect(
      (await client.query(`select eventward.create_partition($1, 'x') as name`, [`O'Neill \\ "x"`])).rows,
    ).toEqual(first.rows)
    const { rows } = await db.admin.query(
      `select count(*) from pg_inherits where inhparent = 'public.events'::regclass`,
    )
    expect(rows).toEqual([{ count: '1' }])
  })

  it.each(['origin', 'replica'])(
    'is append-only when it is detached, session_replication_role %s',
    async (role) => {
      const name = `events_detached_${role}`
      await db.admin.query(`select eventward.create_partition('Detached ${role}', '${name}')`)
      await db.admin.query(`${INSERT} values ('Detached ${role}', '1', 1, 'Created', '{}', now())`)
      await db.admin.query(`alter table public.events detach partition public.${name}`)
      const client = await db.client()
      await client.query(`set session_replication_role = ${role}`)
      for (const attempt of [`update public.${name} set data = '[]'`, `delete from public.${name}`]) {
        await expect(client.query(attempt), attempt).rejects.toMatchObject({ code: 'EW001' })
      }
    },
  )

  it('belongs to whom the events table belongs', async () => {
    const owner = `o_${db.name}`
    await db.admin.query(`create role ${owner}`)
    try {
      await db.admin.query(`alter table public.events owner to ${owner}`)
      await db.admin.query(`select eventward.create_partition('Owned', 'events_owned')`)
      const { rows } = await db.admin.query(
        `select relowner::regrole::text as owner from pg_class where oid = 'public.events_owned'::regclass`,
      )
      expect(rows).toEqual([{ owner }])
    } finally {
      await db.admin.query(
        `reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`,
      )
    }
  })

  it('has its own primary key and position index attached to the events table’s', async () => {
    await db.admin.query(`select eventward.create_partition('Indexed', 'events_indexed')`)
    const { rows } = await db.admin.query(
      `select i.indisprimary as primary, exists (select from pg_inherits where inhrelid = i.indexrelid) as attached
       from pg_index i where i.indrelid = 'public.events_indexed'::regclass order by 1`,
    )
    expect(rows).toEqual([
      { primary: 'f', attached: 't' },
      { primary: 't', attached: 't' },
    ])
  })

  it('is made while others write events of another type, and neither waits', async () => {
    await db.admin.query(`select eventward.create_partition('Busy', 'events_busy')`)
    const writer = await db.client()
    await writer.query(`begin; ${INSERT} values ('Busy', '1', 1, 'Created', '{}', now())`)

    // The naive form waits for that writer, and everyone else queues behind it.
    const naive = await db.client()
    await naive.query(`set lock_timeout = '50ms'`)
    const attempt = naive.query(
      `create table public.naive partition of public.events for values in ('Naive')`,
    )
    await expect(attempt).rejects.toMatchObject({ code: '55P03' })

    const maker = await db.client()
    await maker.query(`begin; set local lock_timeout = '50ms'`)
    await maker.query(`select eventward.create_partition('New', 'events_new')`)
    await writer.query(`${INSERT} values ('Busy', '1', 2, 'Changed', '{}', now()); commit`)
    await maker.query('commit')
    const { rows } = await db.admin.query(`select version from public.events_busy order by 1`)
    expect(rows).toEqual([{ version: '1' }, { version: '2' }])
  })

  it('made by two at once is one', async () => {
    const [first, second] = [await db.client(), await db.client()]
    await first.query('begin')
    const mine = await first.query(`select eventward.create_partition('Raced', 'events_first') as name`)
    const theirs = second.query(`select eventward.create_partition('Raced', 'events_second') as name`)
    await waitUntilBlocked(db.admin, await pidOf(second))
    await first.query('commit')
    expect((await theirs).rows).toEqual(mine.rows)
  })
})

/** Known to the driver, so that a client that waits need not be asked. */
async function pidOf(
  client: Awaited<ReturnType<ReturnType<typeof testDatabase>['client']>>,
): Promise<string> {
  const known = (client as unknown as { processID?: number }).processID
  return known === undefined ? backendPid(client) : String(known)
}
