/** Everything at once: legacy triggers, all isolation levels, savepoints, keys used again, a backfill with two workers. */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { backfill } from '../../src/backfill/index.js'
import { Random } from '../load/random.js'
import { testDatabase } from '../support/database.js'
import { capturedCounters } from './counters.js'

const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const TRANSACTIONS = Number(process.env['FUZZ_RUNS'] ?? '150')
const ROWS = 400
/** Few keys, so that the sessions meet. */
const KEYS = 60
const LEVELS = ['read committed', 'read committed', 'repeatable read', 'serializable'] as const
/** What the application would see without us as well: of its keys, deadlocks, snapshots, and BEFORE triggers. */
const ORDINARY = new Set(['40001', '40P01', '23505', '27000'])

/** An update counts up a sibling, before or after its own write; an insert touches, or removes, its neighbour. */
const LEGACY = `
  create function public.busy_before() returns trigger language plpgsql as $$
  begin
    if pg_trigger_depth() = 1 and new.id % 3 = 0 then
      update public.busy set b = coalesce(b, 0) + 1 where id = new.id + 1;
    end if;
    return new;
  end $$;
  create function public.busy_after() returns trigger language plpgsql as $$
  begin
    if pg_trigger_depth() = 1 and new.id % 2 = 0 then
      update public.busy set b = coalesce(b, 0) + 1 where id in (new.id, new.id - 1);
      if tg_op = 'INSERT' and new.id % 4 = 0 then
        delete from public.busy where id = new.id + 1;
      end if;
    end if;
    return null;
  end $$;
  create trigger legacy_before before update on public.busy for each row execute function public.busy_before();
  create trigger legacy_after after insert or update on public.busy for each row execute function public.busy_after();
  insert into public.busy select i, i, 0, case when i % 3 = 0 then 'old' end from generate_series(1, ${ROWS}) i;`

interface Seen {
  /** The notes of committed updates that met a row. */
  readonly notes: string[]
  readonly errors: { readonly code: string; readonly about: string }[]
  committed: number
}

describe(`a mixed load (FUZZ_SEED=${SEED})`, () => {
  const db = testDatabase()

  it('ends with every row the fold of its events, and every committed write among them', async () => {
    const table = await capturedCounters(db, 'busy', { before: LEGACY })
    const clients = await Promise.all(LEVELS.map(() => db.client()))
    const loads = clients.map((client, n) => load(client, n))
    await backfill(db.database, table.definition, { workers: 2, chunkRows: 40 })
    const seen = await Promise.all(loads)
    // Rows that a slice found locked, or that came after it, have their streams by now or get them here.
    await backfill(db.database, table.definition, { workers: 2 })

    const errors = seen.flatMap((one) => one.errors)
    expect(errors.filter(({ code, about }) => !ORDINARY.has(code) || /event/.test(about))).toEqual([])
    await table.expectProven()
    const notes = seen.flatMap((one) => one.notes)
    const { rows } = await db.admin.query<{ note: string }>(
      `select n.note from unnest($2::text[]) n (note)
       where not exists (
         select from public.events e where e.aggregate_type = $1 and e.data ->> 'note' = n.note)`,
      [table.type, notes],
    )
    expect(rows).toEqual([])
    // The load was one: most transactions committed, and the sessions met.
    expect(seen.reduce((sum, { committed }) => sum + committed, 0)).toBeGreaterThan(TRANSACTIONS)
    expect(notes.length).toBeGreaterThan(TRANSACTIONS / 2)
    const { rows: streams } = await db.admin.query<{ deepest: string }>(
      'select max(version) as deepest from public.events where aggregate_type = $1',
      [table.type],
    )
    expect(Number(streams[0]?.deepest)).toBeGreaterThan(10)
  })

  async function load(client: pg.Client, n: number): Promise<Seen> {
    const random = new Random(SEED + n)
    const seen: Seen = { notes: [], errors: [], committed: 0 }
    await client.query(
      `set deadlock_timeout = '50ms'; set default_transaction_isolation = '${LEVELS[n] ?? ''}'`,
    )
    for (let at = 0; at < TRANSACTIONS; at += 1) {
      const notes: string[] = []
      try {
        await client.query('begin')
        for (let step = 0; step <= random.below(3); step += 1) {
          const note = `${n}-${at}-${step}`
          const kept = await write(client, random, note)
          if (kept) notes.push(note)
        }
        await client.query(random.below(8) === 0 ? 'rollback' : 'commit').then(({ command }) => {
          if (command !== 'COMMIT') return
          seen.committed += 1
          seen.notes.push(...notes)
        })
      } catch (error) {
        const { code = '', message, table = '', constraint = '' } = error as pg.DatabaseError
        seen.errors.push({ code, about: `${message} ${table} ${constraint}` })
        await client.query('rollback')
      }
    }
    return seen
  }
})

/** One statement; true where it wrote the note into a row that is still there. */
async function write(client: pg.Client, random: Random, note: string): Promise<boolean> {
  const id = 1 + random.below(random.below(2) === 0 ? KEYS : ROWS)
  const other = 1 + random.below(KEYS)
  switch (random.below(8)) {
    case 0:
      await client.query('insert into public.busy values ($1, 1, 1, null) on conflict do nothing', [id])
      return false
    case 1:
      await client.query('delete from public.busy where id = $1', [id])
      return false
    case 2:
      await client.query(
        'update public.busy set id = $2 where id = $1 and not exists (select from public.busy where id = $2)',
        [id, other],
      )
      return false
    case 3: {
      await client.query('savepoint s')
      await client.query('update public.busy set note = $2 where id = $1', [id, `${note} undone`])
      await client.query('rollback to s')
      return false
    }
    case 4:
      await client.query('update public.busy set a = a + 1 where id between $1 and $1 + 2', [id])
      return false
    case 5:
      await client.query(
        `insert into public.busy values ($1, 2, 2, null) on conflict (id) do update set a = busy.a + 1`,
        [id],
      )
      return false
    default: {
      const { rowCount } = await client.query('update public.busy set note = $2 where id = $1', [id, note])
      return rowCount === 1
    }
  }
}
