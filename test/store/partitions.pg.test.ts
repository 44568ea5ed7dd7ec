import { describe, expect, it } from 'vitest'
import { archivePartition, ensurePartition, partitionOf, requireEventsTable } from '../../src/store/index.js'
import { partitionNames, withSuffix } from '../../src/store/partition-name.js'
import { testDatabase } from '../support/database.js'

const EVENTS = { schema: 'public', table: 'events' }

describe('partitions', () => {
  const db = testDatabase()
  const ensure = (type: string) =>
    db.database.session((session) => ensurePartition(session, EVENTS, type, 'some_table'))

  it('bear the name of their aggregate, and are made once', async () => {
    expect(await ensure('OrderItem')).toBe('public.events_order_item')
    expect(await ensure('OrderItem')).toBe('public.events_order_item')
  })

  it('made by six at once, are one', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => ensure('Rewarded')))
    expect(new Set(made)).toEqual(new Set(['public.events_rewarded']))
  })

  it('two types whose names fall together have two tables', async () => {
    const made = await ensure('Order_Item')
    expect(made).toMatch(/^public\.events_order_item_[0-9a-f]{8}$/)
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      values ('Order_Item', '1', 1, 'Created', '{}', now())`)
    const { rows } = await db.admin.query('select tableoid::regclass::text as place from public.events')
    expect(rows).toEqual([{ place: made.replace('public.', '') }])
  })

  it('a table of that name which is not ours is left alone', async () => {
    await db.admin.query(`create table public.events_foreign_thing (like public.events including all)`)
    const made = await ensure('ForeignThing')
    expect(made).toMatch(/^public\.events_foreign_thing_[0-9a-f]{8}$/)
    const { rows } = await db.admin.query('select count(*) as n from public.events_foreign_thing')
    expect(rows).toEqual([{ n: '0' }])
  })

  it('a name in which nothing is free is an error that says what to rename', async () => {
    for (const name of partitionNames('events', 'Taken')) {
      await db.admin.query(`create table public.${name} (id integer)`)
    }
    await expect(ensure('Taken')).rejects.toMatchObject({ code: 'EW_PARTITION_NAME', exitStatus: 3 })
  })

  it.each(["it's", 'a"b', 'back\\slash', 'Größe', 'x'.repeat(80)])(
    'are made and found for a type named %s',
    async (type) => {
      await ensure(type)
      const found = await db.database.session((session) => partitionOf(session, EVENTS, type))
      expect(found).toMatchObject({ schema: 'public', detaching: false })
      await ensure(type)
    },
  )

  it('become archives that are append-only as well, when archived twice too', async () => {
    await ensure('Archived')
    await db.admin.query(`
      insert into public.events (aggregate_type, aggregate_id, version, type, data, occurred_at)
      values ('Archived', '1', 1, 'Created', '{}', now())`)
    await db.database.session(async (session) => {
      const partition = await partitionOf(session, EVENTS, 'Archived')
      const oid = partition?.oid ?? ''
      for (let time = 1; time <= 2; time += 1) {
        await archivePartition(session, EVENTS, { oid, archive: 'events_archived_archive_1' })
      }
    })
    for (const statement of [
      'delete from public.events_archived_archive_1',
      `update public.events_archived_archive_1 set data = '{"a": 1}'`,
      'truncate public.events_archived_archive_1',
    ]) {
      await expect(db.admin.query(statement)).rejects.toMatchObject({ code: 'EW001' })
    }
    const { rows } = await db.admin.query('select count(*) as n from public.events_archived_archive_1')
    expect(rows).toEqual([{ n: '1' }])
    expect(await ensure('Archived')).toBe('public.events_archived')
  })

  it('names are cut by bytes and stay different', () => {
    const [one] = partitionNames('events', `${'ü'.repeat(60)}A`)
    const [two] = partitionNames('events', `${'ü'.repeat(60)}B`)
    expect(Buffer.byteLength(one ?? '')).toBeLessThanOrEqual(63)
    expect(one).not.toBe(two)
    expect(Buffer.byteLength(withSuffix('x'.repeat(63), '_archive_12'))).toBe(63)
  })
})

describe('where events are kept', () => {
  const db = testDatabase()
  const bare = testDatabase({ migrated: false })
  const require = (on: typeof db, configured?: { schema: string; table: string }) =>
    on.database.session((session) => requireEventsTable(session, configured))

  it('is read from the database, and must be what the configuration says', async () => {
    expect(await require(db)).toEqual(EVENTS)
    expect(await require(db, EVENTS)).toEqual(EVENTS)
    await expect(require(db, { schema: 'public', table: 'history' })).rejects.toMatchObject({
      code: 'EW_EVENTS_MOVED',
    })
  })

  it('a database without our schema is told what to run', async () => {
    await expect(require(bare)).rejects.toMatchObject({
      code: 'EW_NOT_MIGRATED',
      exitStatus: 2,
      next: 'Run `eventward migrate up`.',
    })
  })

  it('a table of that name that is someone else’s is refused, and so is one that is gone', async () => {
    await db.admin.query('alter table public.events rename to kept')
    await expect(require(db)).rejects.toMatchObject({ code: 'EW_EVENTS_MISSING' })
    await db.admin.query('create table public.events (id integer)')
    await expect(require(db)).rejects.toMatchObject({ code: 'EW_EVENTS_FOREIGN', exitStatus: 2 })
    await db.admin.query('drop table public.events; alter table public.kept rename to events')
    expect(await require(db)).toEqual(EVENTS)
  })
})
