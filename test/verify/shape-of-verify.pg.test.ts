/** HAZARDS C3 and C5: what a verifier's own shape hides, or invents. */
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/db/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { createdEvent, smallTable } from './small-table.js'

const ENGINES = ['sql', 'replay'] as const

describe('the shape of verify', () => {
  const db = testDatabase()

  it('takes rows and events from one statement: a write between two would be a false alarm', async () => {
    const { definition, name } = await smallTable(db.admin, 'moving', { id: 'integer', v: 'integer' })
    await db.admin.query('insert into public.moving values (1, 0)')
    await createdEvent(db.admin, name, '1', '{"v": 0}')
    const application = await db.client()
    let version = 1
    const write = () => {
      version += 1
      return application.query(`begin;
        update public.moving set v = ${version};
        insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
          values ('moving', '1', ${version}, 'Changed', '{"v": ${version}}', now());
        commit`)
    }

    const naiveRow = (await db.admin.query('select v from public.moving')).rows
    await write()
    const naiveEvents = (
      await db.admin.query(
        `select data ->> 'v' as v from public.events where aggregate_type = 'moving' order by version desc limit 1`,
      )
    ).rows
    expect(naiveEvents, 'two statements call a sound row different').not.toEqual(naiveRow)

    let looking = true
    const load = (async () => {
      while (looking) await write()
    })()
    try {
      for (let look = 0; look < 10; look += 1) {
        for (const engine of ENGINES) {
          expect((await verify(db.database, definition, { engine })).differences).toEqual([])
        }
      }
    } finally {
      looking = false
      await load
    }
    expect(version).toBeGreaterThan(20)
  })

  it('meets every stream of an integer key, in ranges of any size', async () => {
    const { definition } = await smallTable(db.admin, 'hundred', { id: 'integer', v: 'integer' })
    await db.admin.query(`insert into public.hundred select i, i from generate_series(1, 100) i`)
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'hundred', i::text, 1, 'Created', jsonb_build_object('v', i), now() from generate_series(1, 100) i`)
    const { rows } = await db.admin.query(
      `select count(*) from public.events where aggregate_type = 'hundred' and aggregate_id >= '1' and aggregate_id <= '100'`,
    )
    expect(rows, 'the range of the key, taken as texts').toEqual([{ count: '3' }])
    for (const engine of ENGINES) {
      for (const chunkSize of [1, 7, 100, 20_000]) {
        const { table } = await verify(db.database, definition, { engine, chunkSize, workers: 3 })
        expect(table).toMatchObject({ rows: '100', streams: '100', events: '100', clean: true })
      }
    }
  })

  it('finds two columns that are wrong in the same way: hashes joined by XOR cancel out', async () => {
    const { definition, name } = await smallTable(db.admin, 'twins', { id: 'integer', x: 'text', y: 'text' })
    await db.admin.query(`insert into public.twins values (1, 'a', 'a')`)
    await createdEvent(db.admin, name, '1', '{"x": "b", "y": "b"}')
    const { rows } = await db.admin.query(
      `select hashtext('a') # hashtext('a') = hashtext('b') # hashtext('b') as equal`,
    )
    expect(rows, 'XOR of the hashes').toEqual([{ equal: 't' }])
    for (const engine of ENGINES) {
      const { differences } = await verify(db.database, definition, { engine })
      expect(differences.map(({ columns }) => columns.map(({ column }) => column))).toEqual([['x', 'y']])
    }
  })

  it('looks at a column that the definition has never heard of', async () => {
    const { definition, name } = await smallTable(db.admin, 'grown', { id: 'integer', v: 'text' })
    await db.admin.query(`insert into public.grown values (1, 'a'), (2, 'b')`)
    await createdEvent(db.admin, name, '1', '{"v": "a"}')
    await createdEvent(db.admin, name, '2', '{"v": "b", "$residue": {"note": "new"}}')
    await db.admin.query(`alter table public.grown add column note text default 'new'`)
    const { rows } = await db.admin.query(
      `select count(*) from public.grown r join public.events e on e.aggregate_type = 'grown' and e.aggregate_id = r.id::text
       where e.data ->> 'v' is distinct from r.v`,
    )
    expect(rows, 'comparing the columns of the definition').toEqual([{ count: '0' }])
    for (const engine of ENGINES) {
      const { differences } = await verify(db.database, definition, { engine })
      expect(differences).toMatchObject([
        { key: '1', kind: 'row_differs', columns: [{ column: 'note', row: 'new', events: null }] },
      ])
    }
  })

  it('leaves generated columns out', async () => {
    const { definition, name } = await smallTable(db.admin, 'computed', { id: 'integer', v: 'integer' })
    await db.admin.query(
      'alter table public.computed add column twice integer generated always as (v * 2) stored',
    )
    await db.admin.query('insert into public.computed values (1, 2)')
    await createdEvent(db.admin, name, '1', '{"v": 2}')
    for (const engine of ENGINES) {
      expect((await verify(db.database, definition, { engine })).differences).toEqual([])
    }
  })

  it('fails where a policy hides rows from its role, instead of proving the rest', async () => {
    const { definition } = await smallTable(db.admin, 'guarded', { id: 'integer', v: 'integer' })
    await db.admin.query(`insert into public.guarded select i, i from generate_series(1, 10) i`)
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select 'guarded', i::text, 1, 'Created', jsonb_build_object('v', i), now() from generate_series(1, 10) i`)
    const role = `filtered_${db.name}`
    await db.admin.query(`
      create role ${role} login password 'test';
      grant usage on schema eventward to ${role};
      grant all on all tables in schema eventward, public to ${role};
      alter table public.guarded enable row level security;
      create policy few on public.guarded using (id <= 3)`)
    const url = new URL(db.url)
    url.username = role
    url.password = 'test'
    const database = await connect({ url: url.href })
    try {
      await db.admin.query(`set role ${role}`)
      const { rows } = await db.admin.query('select count(*) from public.guarded')
      await db.admin.query('reset role')
      expect(rows, 'what an ordinary session of that role sees').toEqual([{ count: '3' }])
      for (const engine of ENGINES) {
        await expect(verify(database, definition, { engine })).rejects.toMatchObject({
          details: { sqlstate: '42501' },
        })
      }
    } finally {
      await database.close()
      await db.admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })
})
