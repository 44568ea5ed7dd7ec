/** Law 7: what events can't hold is written by the application all the same, and closes the gate. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { streamOf } from './counters.js'
import { outcome } from './outcome.js'

/** Fits an index of its own (2,704 bytes), and no index with anything beside it. */
const LONG = `(select string_agg(md5(i::text || 'key'), '') from generate_series(1, 84) i)`

describe('a write that events can’t hold', () => {
  const db = testDatabase()
  let Named: AggregateDefinition

  beforeAll(async () => {
    await db.admin.query('create table public.named (name text primary key, a integer)')
    const table = defineTable<{ name: string; a: number | null }>()({
      schema: 'public',
      name: 'named',
      key: ['name'],
      columns: { name: { type: 'text', nullable: false }, a: { type: 'integer', nullable: true } },
    })
    Named = defineAggregate({ name: 'Named', table, events: { Made: { creates: true, data: ['a'] } } })
    await installCapture(db.database, Named)
  })

  const incomplete = async () => {
    const { rows } = await db.admin.query<{ aggregate_id: string; reason: string }>(
      'select aggregate_id, reason from eventward.incomplete order by id',
    )
    return rows.length
  }

  it.each(['read committed', 'repeatable read'])(
    'succeeds with a key too long for the events’ index, and is noted (%s)',
    async (level) => {
      const client = await db.client()
      await client.query(`set default_transaction_isolation = '${level}'`)
      const before = await incomplete()
      const writes = [
        `insert into public.named values (${LONG}, 1)`,
        `update public.named set a = 2 where name = ${LONG}`,
        `update public.named set name = 'short' where name = ${LONG}`,
        `update public.named set name = ${LONG} where name = 'short'`,
        `delete from public.named where name = ${LONG}`,
      ]
      for (const write of writes) expect(await outcome(client.query(write))).toBe('done')
      expect(await incomplete()).toBeGreaterThanOrEqual(before + 4)
    },
  )

  it('leaves the streams beside it as they should be', async () => {
    await db.admin.query(`insert into public.named values ('a', 1), (${LONG}, 1), ('b', 2)`)
    await db.admin.query('update public.named set a = a + 1')
    expect(await streamOf(db.admin, 'Named', 'a')).toEqual(['Made {"a": 1}', 'Changed {"a": 2}'])
    expect(await streamOf(db.admin, 'Named', 'b')).toEqual(['Made {"a": 2}', 'Changed {"a": 3}'])
  })
})
