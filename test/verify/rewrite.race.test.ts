/** HAZARDS A8: a snapshot that is older than someone's rewrite of the table sees it empty. */
import { describe, expect, it } from 'vitest'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { until } from '../support/race.js'
import { smallTable } from './small-table.js'

describe('a table that is rewritten while it is verified', () => {
  const db = testDatabase()

  it.each(['sql', 'replay'] as const)(
    'is read after the rewrite by %s, and not as an empty one',
    async (engine) => {
      const name = `rewritten_${engine}`
      const { definition } = await smallTable(db.admin, name, { id: 'integer', v: 'integer' })
      await db.admin.query(`insert into public.${name} select i, i from generate_series(1, 1000) i`)
      await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select '${name}', i::text, 1, 'Created', jsonb_build_object('v', i), now() from generate_series(1, 1000) i`)

      const naive = await db.client()
      await naive.query('begin isolation level repeatable read; select 1')
      const rewriter = await db.client()
      await rewriter.query(`begin; alter table public.${name} alter column v type bigint`)

      const verified = verify(db.database, definition, { engine, workers: 1 })
      // Also the binding reads the catalog; whoever comes first waits for the table.
      await until(
        async () => {
          const { rows } = await db.admin.query(
            `select from pg_catalog.pg_locks where relation = $1::regclass and not granted`,
            [`public.${name}`],
          )
          return rows.length > 0
        },
        { what: 'verify to wait for the table' },
      )
      await rewriter.query('commit')

      const { table } = await verified
      expect(table).toMatchObject({ rows: '1000', streams: '1000', clean: true })
      const { rows } = await naive.query(`select count(*) from public.${name}`)
      await naive.query('commit')
      expect(rows, 'a snapshot from before the rewrite').toEqual([{ count: '0' }])
    },
  )
})
