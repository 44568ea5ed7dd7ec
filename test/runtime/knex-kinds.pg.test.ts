/** withEvents on a knex that maps names, and on tables of other shapes. */
import createKnex, { type Knex } from 'knex'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'
import { withEvents } from '../../src/runtime/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'

interface TeamMembersRow {
  team_name: string
  joined_at: string
  seat_no: Integer
  full_name: string | null
}
const members = defineTable<TeamMembersRow>()({
  schema: 'public',
  name: 'team_members',
  key: ['team_name', 'joined_at'],
  columns: {
    team_name: { type: 'text', nullable: false },
    joined_at: { type: 'timestamp with time zone', nullable: false },
    seat_no: { type: 'integer', nullable: false },
    full_name: { type: 'text', nullable: true },
  },
})
const Member = defineAggregate({
  name: 'Member',
  table: members,
  events: { Joined: { creates: true, data: ['seat_no', 'full_name'] }, Renamed: { data: ['full_name'] } },
})

describe('a knex that maps names, on a partitioned table with a key of two columns', () => {
  const db = testDatabase()
  let knex: Knex

  beforeAll(async () => {
    await db.admin.query(`
      create table public.team_members (
        team_name text, joined_at timestamptz, seat_no integer not null, full_name text,
        primary key (team_name, joined_at)
      ) partition by hash (team_name);
      create table public.team_members_0 partition of public.team_members for values with (modulus 2, remainder 0);
      create table public.team_members_1 partition of public.team_members for values with (modulus 2, remainder 1)`)
    await backfill(db.database, Member)
    knex = createKnex({
      client: 'pg',
      connection: {
        connectionString: db.url,
        options: '-c TimeZone=Asia/Kolkata -c DateStyle=German',
      } as object,
      pool: { min: 0, max: 2 },
      wrapIdentifier: (name, wrap) => wrap(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
      postProcessResponse: (result: unknown) => (Array.isArray(result) ? result.map(camel) : result),
    })
  })
  afterAll(() => knex.destroy())

  it('is seen through: what it writes, what it gets, and what is stored', async () => {
    const app = withEvents(knex, { aggregates: [{ aggregate: Member, capture: 'shim' }] })
    const joinedAt = '2024-02-29T23:30:00.125Z'
    const team = (n: number) => ({ teamName: `t${n}`, joinedAt, seatNo: n, fullName: null })
    const inserted = await app('teamMembers').insert([team(1), team(2), team(3)], ['teamName'])
    expect(inserted).toEqual([{ teamName: 't1' }, { teamName: 't2' }, { teamName: 't3' }])
    const renamed = await app('teamMembers')
      .where({ seatNo: 2 })
      .orWhere({ seatNo: 3 })
      .update({ fullName: 'x' })
      .returning('seatNo')
    // In the order of the partitions.
    expect(new Set(renamed.map(({ seatNo }) => seatNo))).toEqual(new Set([2, 3]))
    expect(await app('teamMembers').where({ teamName: 't3' }).delete()).toBe(1)
    // To another partition, and so another row.
    expect(
      await app('teamMembers as m').where('m.teamName', 't2').update({ teamName: 't9' }).catch(code),
    ).toBe('EW_SHIM_UNSEEN')
    const { rows } = await db.admin.query<Record<'event', string>>(
      `select concat_ws(' ', aggregate_id, version, type, data) as event from public.events order by aggregate_id, version`,
    )
    const id = (n: number) => JSON.stringify([`t${n}`, '2024-02-29 23:30:00.125+00'])
    expect(rows.map(({ event }) => event)).toEqual([
      `${id(1)} 1 Joined {"seat_no": 1, "full_name": null}`,
      `${id(2)} 1 Joined {"seat_no": 2, "full_name": null}`,
      `${id(2)} 2 Renamed {"full_name": "x"}`,
      `${id(3)} 1 Joined {"seat_no": 3, "full_name": null}`,
      `${id(3)} 2 Renamed {"full_name": "x"}`,
      `${id(3)} 3 Deleted {}`,
    ])
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Member, { engine })).differences).toEqual([])
    }
  })

  it('stores the events of many rows in one go, in their order', async () => {
    const app = withEvents(knex, { aggregates: [{ aggregate: Member, capture: 'shim' }] })
    const many = Array.from({ length: 500 }, (_, n) => ({
      teamName: `many${n}`,
      joinedAt: '2024-01-01Z',
      seatNo: n,
    }))
    await app.batchInsert('teamMembers', many, 300)
    expect(await app('teamMembers').where('teamName', 'like', 'many%').update({ fullName: 'y' })).toBe(500)
    const { rows } = await db.admin.query(
      `select count(*) as n, count(distinct aggregate_id) as streams from public.events where aggregate_id like '%many%'`,
    )
    expect(rows).toEqual([{ n: '1000', streams: '500' }])
    expect((await verify(db.database, Member, { engine: 'sql' })).differences).toEqual([])
  })
})

function camel(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row
  const named = Object.entries(row).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value as unknown,
  ])
  return Object.fromEntries(named) as unknown
}

const code = (error: unknown) => (error as { code?: string }).code
