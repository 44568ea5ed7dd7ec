/** HAZARDS A8: a snapshot that is older than someone's rewrite of the table sees it empty. */
import { describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { compileReplayStream, compileVerifyStreams, streamRangeSql, typedKey } from '../../src/sql/index.js'
import { copyLines } from '../../src/verify/copy-lines.js'
import { replayEngine } from '../../src/verify/replay-engine.js'
import { sqlEngine } from '../../src/verify/sql-engine.js'
import { readTableState } from '../../src/verify/table-state.js'
import { testDatabase } from '../support/database.js'
import { backendPid, waitUntilBlocked } from '../support/race.js'
import { smallTable } from './small-table.js'

const ALL = { after: null, upTo: null }

describe('a table that is rewritten while its range is verified', () => {
  const db = testDatabase()

  /** The table, bound before the rewrite: what a verify knows in the middle of its run. */
  async function boundTable(name: string) {
    const { definition } = await smallTable(db.admin, name, { id: 'integer', v: 'integer' })
    await db.admin.query(`insert into public.${name} select i, i from generate_series(1, 1000) i`)
    await db.admin.query(`insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      select '${name}', i::text, 1, 'Created', jsonb_build_object('v', i), now() from generate_series(1, 1000) i`)
    return bound(definition)
  }

  const bound = (definition: AggregateDefinition) =>
    db.database.session(async (session) => {
      const { model, table } = await bindAggregate(session, definition)
      const key = typedKey(model, table.key?.columns ?? [])
      const events = { schema: 'public', table: 'events' }
      return { definition, model, key, events, state: await readTableState(session, model) }
    })

  /** Starts `work` while a rewrite holds the table, lets it commit once `work` waits, and gives what `work` gave. */
  async function acrossRewrite<T>(name: string, work: () => Promise<T>): Promise<T> {
    const rewriter = await db.client()
    await rewriter.query(`begin; alter table public.${name} alter column v type bigint`)
    const working = work()
    working.catch(() => undefined) // It may reject before it is awaited below.
    const waiter = async () =>
      (
        await db.admin.query(
          `select pid from pg_locks where relation = 'public.${name}'::regclass and not granted`,
        )
      ).rows[0]?.pid as string | undefined
    let pid = await waiter()
    while (pid === undefined) pid = await waiter()
    await waitUntilBlocked(db.admin, pid, await backendPid(rewriter))
    await rewriter.query('commit')
    return working
  }

  it.each([
    ['sql', sqlEngine],
    ['replay', replayEngine],
  ] as const)(
    'ends the %s verify that was bound before, and has its rows for the next',
    async (name, engine) => {
      const source = await boundTable(`rewritten_${name}`)
      const across = acrossRewrite(`rewritten_${name}`, () =>
        db.database.session((session) => engine(source)(session, ALL)),
      )
      await expect(across).rejects.toMatchObject({ code: 'EW_VERIFY_MOVED' })
      const anew = await bound(source.definition)
      const checked = await db.database.session((session) => engine(anew)(session, ALL))
      expect(checked).toMatchObject({ streams: 1000, found: [] })
    },
  )

  it('is empty for a COPY, which takes its snapshot before it waits', async () => {
    const source = await boundTable('rewritten_copy')
    const naive = await acrossRewrite('rewritten_copy', () =>
      db.database.session(async (session) => {
        let rows = 0
        await copyLines(session.copyTo(compileReplayStream(source, streamRangeSql(ALL))), (line) => {
          if (line.split('\t')[7] === 't') rows += 1
        })
        return rows
      }),
    )
    expect(naive, 'rows that COPY sees where no lock came first').toBe(0)
  })

  it('is empty for a snapshot that is older than the rewrite', async () => {
    const source = await boundTable('rewritten_old')
    const { text, values } = compileVerifyStreams(source, streamRangeSql(ALL))
    const differences = await db.database.session((session) =>
      session.transaction({ isolation: 'repeatable read', readOnly: true }, async () => {
        await session.rows({ text: 'select 1', values: [] })
        await db.admin.query('alter table public.rewritten_old alter column v type bigint')
        return (await session.one<{ differences: string }>({ text, values })).differences
      }),
    )
    expect(differences, 'what a verify under one long snapshot calls different').toBe('1000')
  })
})
