import { describe, expect, it } from 'vitest'
import { adopt } from '../../src/adopt/index.js'
import { backfill } from '../../src/backfill/index.js'
import { captureOn } from '../../src/capture/index.js'
import { type AggregateDefinition, defineAggregate, defineTable } from '../../src/definition/index.js'
import { ident, literal } from '../../src/sql/index.js'
import { timeMachineOn, timeMachineStatus } from '../../src/timemachine/index.js'
import { type Difference, verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { compareAsOf } from '../timemachine/compare-as-of.js'

const SEEDS = Number(process.env['FUZZ_RUNS'] ?? 6)
const STEPS = 40

/** Names that come back, on other columns. */
const NAMES = ['a', 'b', 'c d', 'E"e', "f'f"]
const TYPES: Readonly<Record<string, readonly string[]>> = {
  text: ['x', '', "it's"],
  integer: ['1', '-7'],
  'numeric(10,2)': ['1.5', '2'],
  boolean: ['true', 'false'],
  jsonb: ['{"k": 1.0}', '[]', '"s"'],
  timestamptz: ['2024-01-01 00:00Z', 'infinity'],
}

/** xorshift: the same application for the same seed. */
function random(seed: number) {
  let state = seed * 2_654_435_761 + 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let n = 0; n < 9; n += 1) next()
  return {
    below: (n: number) => Math.floor(next() * n),
    of: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!,
    chance: (share: number) => next() < share,
  }
}

type Random = ReturnType<typeof random>

describe('an application that goes on changing a captured table', () => {
  const db = testDatabase()

  for (let seed = 1; seed <= SEEDS; seed += 1) {
    it(`loses nothing, whatever it changes and whenever that is adopted (seed ${seed})`, async () => {
      const table = `t${seed}`
      const dice = random(seed)
      await db.admin.query(`create table ${table} (id integer primary key, a text, b integer default 3)`)
      await db.admin.query(`insert into ${table} select i, 'old', i from generate_series(1, 5) i`)
      const run = async (statement: string) => {
        log.push(statement)
        await db.admin.query(statement)
      }
      const log: string[] = []
      const first = await define(table)
      await captureOn(db.database, first)
      await backfill(db.database, first)
      await db.database.session((session) => timeMachineOn(session, first))
      for (let step = 0; step < STEPS; step += 1) {
        if (dice.chance(0.25)) for (const statement of await change(dice, table)) await run(statement)
        else if (dice.chance(0.1)) {
          log.push('adopt')
          await adopt(db.database, await define(table))
        } else {
          // Columns that exchange their names before anyone has noticed: a compiled trigger can't see it.
          if (await exchanged(table)) await adopt(db.database, await define(table))
          await run(await write(dice, table))
        }
      }
      const definition = await define(table)
      await adopt(db.database, definition)
      for (const engine of ['sql', 'replay'] as const) {
        const { differences } = await verify(db.database, definition, { engine })
        expect({ engine, differences, log, streams: await streamsOf(differences) }).toMatchObject({
          engine,
          differences: [],
        })
      }
      expect((await db.admin.query('select * from eventward.incomplete')).rows).toEqual([])
      // Each adoption has made it anew.
      expect(await db.database.session((session) => timeMachineStatus(session, definition))).toMatchObject({
        state: 'on',
      })
      const compared = await compareAsOf(db.database, definition)
      expect({ differences: compared.differences, log }).toMatchObject({ differences: [] })
      expect(compared.rows).toBeGreaterThan(0)
    })
  }

  /** What led to it. */
  const streamsOf = async (differences: readonly Difference[]) => {
    const { rows } = await db.admin.query(
      'select aggregate_id, version, type, data, metadata from events where aggregate_id = any ($1) order by 1, 2',
      [differences.map(({ key }) => key)],
    )
    return rows.map((row) => JSON.stringify(row))
  }

  interface Column {
    readonly name: string
    readonly type: string
  }

  const columnsOf = async (table: string): Promise<readonly Column[]> => {
    const { rows } = await db.admin.query<Record<'name' | 'type', string>>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> 'id' order by attnum`,
      [table],
    )
    return rows.map(({ name, type }) => ({
      name,
      type: type === 'timestamp with time zone' ? 'timestamptz' : type,
    }))
  }

  /** All names that the triggers were compiled for are there, some of them on other columns. */
  const exchanged = async (table: string): Promise<boolean> => {
    const { rows } = await db.admin.query<{ exchanged: string }>(
      `with known as (
         select (c ->> 0)::integer as attnum, c ->> 1 as name
         from eventward.captures t
         join eventward.row_shapes s on s.aggregate_type = t.aggregate_type and s.id = t.row_shape
         cross join jsonb_array_elements(s.columns) c
         where t.relid = $1::regclass
       )
       select bool_and(a.attname is not null) and bool_or(a.attnum <> k.attnum) as exchanged
       from known k
       left join pg_attribute a on a.attrelid = $1::regclass and a.attname = k.name and not a.attisdropped`,
      [table],
    )
    return rows[0]?.exchanged === 't'
  }

  /** One event, which carries nothing: every column is residue, by its name. */
  const define = async (table: string): Promise<AggregateDefinition> => {
    const columns = Object.fromEntries(
      (await columnsOf(table)).map(({ name, type }) => [name, { type, nullable: true }]),
    )
    const described = defineTable<Record<string, never>>()({
      schema: 'public',
      name: table,
      key: ['id'],
      columns: { id: { type: 'integer', nullable: false }, ...columns },
    } as never)
    return defineAggregate({
      name: `Restless ${table}`,
      table: described,
      events: { Created: { creates: true, data: [] } },
    } as never) as unknown as AggregateDefinition
  }

  const someValue = (dice: Random, type: string) =>
    dice.chance(0.3) ? 'null' : literal(dice.of(TYPES[type] ?? ['x']))

  async function change(dice: Random, table: string): Promise<readonly string[]> {
    const columns = await columnsOf(table)
    const free = NAMES.filter((name) => !columns.some((column) => column.name === name))
    const some = columns[dice.below(columns.length)]
    const alter = `alter table ${table}`
    switch (dice.below(some === undefined ? 1 : 5)) {
      case 1:
        return columns.length > 1 && some !== undefined ? [`${alter} drop column ${ident(some.name)}`] : []
      case 2:
        return free.length > 0 && some !== undefined
          ? [`${alter} rename column ${ident(some.name)} to ${ident(dice.of(free))}`]
          : []
      case 3: {
        const other = dice.of(columns)
        if (some === undefined || other === some) return []
        return [
          `${alter} rename column ${ident(some.name)} to tmp`,
          `${alter} rename column ${ident(other.name)} to ${ident(some.name)}`,
          `${alter} rename column tmp to ${ident(other.name)}`,
        ]
      }
      case 4:
        // Values keep their texts: what a conversion changes is repaired, not adopted.
        return some?.type === 'integer'
          ? [
              `${alter} alter column ${ident(some.name)} drop default, alter column ${ident(some.name)} type text`,
            ]
          : []
      default: {
        if (free.length === 0) return []
        const type = dice.of(Object.keys(TYPES))
        const value = someValue(dice, type)
        return [
          `${alter} add column ${ident(dice.of(free))} ${type}${value === 'null' ? '' : ` default ${value}`}`,
        ]
      }
    }
  }

  async function write(dice: Random, table: string): Promise<string> {
    const columns = (await columnsOf(table)).filter(() => dice.chance(0.5))
    const id = 1 + dice.below(12)
    const values = columns.map(({ type }) => someValue(dice, type))
    const names = columns.map(({ name }) => ident(name))
    if (dice.chance(0.2)) return `delete from ${table} where id = ${id}`
    if (dice.chance(0.1)) return `update ${table} set id = ${100 + dice.below(900)} where id = ${id}`
    const set = names.map((name, index) => `${name} = ${values[index]}`)
    return `insert into ${table} (${['id', ...names].join(', ')}) values (${[id, ...values].join(', ')})
      on conflict (id) do update set ${['id = excluded.id', ...set].join(', ')}`
  }
})
