/** Commands where the table, its triggers, its definition or the rights of the application are not what they were. */
import createKnex, { type Knex } from 'knex'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bindAggregate } from '../../src/bind/index.js'
import { defineAggregate, defineTable, type Integer, occurredAt } from '../../src/definition/index.js'
import { defineCommand } from '../../src/runtime/index.js'
import { registerDefinition, requireEventsTable } from '../../src/store/index.js'
import { verify } from '../../src/verify/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'
import { createSubscriptions, Subscription, subscriptions } from '../support/subscription.js'
import { appKnex } from './app-knex.js'
import { forgetSubscriptions, resetSubscriptions } from './reset-subscriptions.js'
import { schema } from './schema.js'

const Activate = defineCommand({
  aggregate: Subscription,
  attributes: schema<{ stripe_key: string }>(),
  build: (_, { stripe_key }) => ({ type: 'Activated', data: { stripe_key } }),
})
const Create = defineCommand({
  aggregate: Subscription,
  creates: true,
  build: () => ({ type: 'Created', data: { user_id: 1, reward_id: 2, payment_source_key: null } }),
})

describe('a command', () => {
  const db = testDatabase()
  const app = appKnex(db)

  beforeAll(async () => {
    await db.admin.query(createSubscriptions)
  })

  it('is refused where eventward is, but not capture: the command to run is named', async () => {
    await expect(Activate.call(app(), { id: 12, stripe_key: 'k' })).rejects.toMatchObject({
      code: 'EW_NOT_CAPTURED',
      next: expect.stringContaining('eventward capture on subscriptions'),
    })
    await installCapture(db.database, Subscription)
  })

  describe('on a captured table', () => {
    beforeEach(() => resetSubscriptions(db.admin))

    const events = async () => {
      const { rows } = await db.admin.query<Record<'event', string>>(
        `select concat_ws(' ', aggregate_id, version, type, data, metadata ->> 'source') as event
         from public.events order by position desc limit 2`,
      )
      return rows.map(({ event }) => event).reverse()
    }
    const clean = async () => {
      for (const engine of ['sql', 'replay'] as const) {
        expect((await verify(db.database, Subscription, { engine })).differences).toEqual([])
      }
    }

    describe('whose columns someone changes', () => {
      beforeEach(() => Activate.call(app(), { id: 12, stripe_key: 'before' }))
      afterEach(async () => {
        await forgetSubscriptions(db.admin)
        await db.admin.query('alter table public.subscriptions drop column if exists extra')
      })

      it('is bound anew: a column that was added is part of what it writes', async () => {
        await db.admin.query(`alter table public.subscriptions add column extra text not null default 'e'`)
        await Activate.call(app(), { id: 12, stripe_key: 'after' })
        await Create.call(app(), { id: 20 })
        expect(await events()).toEqual([
          '12 4 Activated {"stripe_key": "after"} command',
          '20 1 Created {"user_id": 1, "$residue": {"extra": "e"}, "reward_id": 2, "payment_source_key": null} command',
        ])
      })

      it('is bound anew: a default that was changed is the one that a new row gets', async () => {
        await db.admin.query(`alter table public.subscriptions add column extra text default 'a'`)
        await Create.call(app(), { id: 20 })
        await db.admin.query(`alter table public.subscriptions alter column extra set default 'b'`)
        await Create.call(app(), { id: 21 })
        expect((await events()).map((event) => /"extra": "(.)"/.exec(event)?.[1])).toEqual(['a', 'b'])
      })

      it('takes a key that fits the type which its column has by now', async () => {
        await db.admin.query('alter table public.subscriptions alter column id type integer')
        await Activate.call(app(), { id: 12, stripe_key: 'again' })
        await db.admin.query('alter table public.subscriptions alter column id type bigint')
        await expect(Activate.call(app(), { id: '3000000000', stripe_key: 'k' })).rejects.toMatchObject({
          code: 'EW_COMMAND_GONE',
        })
      })

      it('writes nothing where a column that it needs is gone', async () => {
        await db.admin.query('alter table public.subscriptions rename column stripe_key to key')
        await expect(Activate.call(app(), { id: 12, stripe_key: 'k' })).rejects.toMatchObject({
          code: 'EW_COLUMN_UNKNOWN',
        })
        await db.admin.query('alter table public.subscriptions rename column key to stripe_key')
        expect(await Activate.call(app(), { id: 12, stripe_key: 'k' })).toMatchObject({ type: 'Activated' })
      })
    })

    describe('with triggers of its own', () => {
      afterEach(() =>
        db.admin.query(`drop trigger if exists legacy on public.subscriptions;
          drop function if exists public.legacy(), public.touched(text)`),
      )
      const trigger = (body: string) =>
        db.admin.query(`
          create function public.touched(text) returns text language sql as $$ select $1 || '!' $$;
          create function public.legacy() returns trigger language plpgsql as $$ begin ${body} end $$;
          create trigger legacy before insert or update or delete on public.subscriptions
            for each row execute function public.legacy()`)

      it('what they change is a Changed of its own, under the settings of the application', async () => {
        await trigger(
          `new.payment_source_key := touched(current_setting('TimeZone') || ' ' || current_setting('DateStyle')); return new;`,
        )
        const event = await Activate.call(app(), { id: 12, stripe_key: 'k' })
        expect(event).toMatchObject({ type: 'Activated' })
        expect(await events()).toEqual([
          '12 3 Activated {"stripe_key": "k"} command',
          '12 4 Changed {"payment_source_key": "America/New_York SQL, DMY!"} trigger',
        ])
        await clean()
      })

      it('where they keep the row from being written, the transaction is ended', async () => {
        await trigger('return null;')
        const trx = await app().transaction()
        await expect(Activate.call(trx, { id: 12, stripe_key: 'k' })).rejects.toMatchObject({
          code: 'EW_ANNOUNCEMENT',
        })
        await expect(trx('subscriptions').where({ id: 12 }).update({ reward_id: 1 })).rejects.toMatchObject({
          code: '25P02',
        })
        await trx.rollback()
        await clean()
      })
    })

    it('builds events that are registered, as the code means them, and no others', async () => {
      const Newer = defineAggregate({
        name: 'Subscription',
        table: subscriptions,
        events: {
          Created: {
            creates: true,
            data: ['user_id', 'reward_id', 'payment_source_key'],
            set: { status: 'unpaid', created_at: occurredAt },
          },
          Activated: { data: ['stripe_key'], set: { status: 'active', activated_at: occurredAt } },
          Deactivated: {
            schemaVersion: 2,
            data: ['stripe_key'],
            set: { status: 'inactive', deactivated_at: occurredAt },
          },
        },
      })
      const Deactivate = defineCommand({
        aggregate: Newer,
        build: () => ({ type: 'Deactivated', data: { stripe_key: 'none' } }),
      })
      const ActivateNewer = defineCommand({
        aggregate: Newer,
        build: () => ({ type: 'Activated', data: { stripe_key: 'new code' } }),
      })
      await expect(Deactivate.call(app(), { id: 12 })).rejects.toMatchObject({
        code: 'EW_DEFINITION_UNREGISTERED',
      })
      // What both mean alike, both may write: a rolling deploy.
      await ActivateNewer.call(app(), { id: 12 })
      await db.database.session(async (session) => {
        const { model } = await bindAggregate(session, Newer)
        await registerDefinition(session, model, await requireEventsTable(session))
      })
      expect(await Deactivate.call(app(), { id: 12 })).toMatchObject({ schemaVersion: 2 })
      await Activate.call(app(), { id: 12, stripe_key: 'old code' })
      expect((await events())[1]).toBe('12 5 Activated {"stripe_key": "old code"} command')
    })

    it('loses no digit, whatever parsers the application has', async () => {
      const parser = pg.types.getTypeParser(20)
      pg.types.setTypeParser(20, Number)
      try {
        const big = 9_007_199_254_740_993n
        expect(await Create.call(app(), { id: big })).toMatchObject({ id: '9007199254740993', version: 1 })
        const event = await Activate.call(app(), { id: '9007199254740993', stripe_key: 'k' })
        expect(event).toMatchObject({ id: '9007199254740993', version: 2 })
      } finally {
        pg.types.setTypeParser(20, parser)
      }
      await clean()
    })

    it('is refused in a transaction that is over', async () => {
      const trx = await app().transaction()
      await trx.commit()
      await expect(Activate.call(trx, { id: 12, stripe_key: 'k' })).rejects.toMatchObject({
        code: 'EW_TRANSACTION_OVER',
      })
    })

    it('several in one transaction are one, and go on from each other', async () => {
      await app().transaction(async (trx) => {
        await Create.call(trx, { id: 30 })
        const event = await Activate.call(trx, { id: 30, stripe_key: 'a' })
        expect(event?.version).toBe(2)
        await trx('subscriptions').where({ id: 30 }).update({ reward_id: 9 })
        expect(await Activate.call(trx, { id: 30, stripe_key: 'b' })).toMatchObject({ version: 4 })
      })
      await clean()
    })

    it('needs no more rights than reading what eventward keeps', async () => {
      const role = `app_${db.name}`
      await db.admin.query(`
        create role ${role} login password 'app';
        grant select, insert, update, delete on public.subscriptions to ${role};
        grant usage on schema eventward to ${role};
        grant select on public.events, eventward.settings, eventward.definitions, eventward.aggregates,
          eventward.row_shapes, eventward.epochs to ${role}`)
      const url = new URL(db.url)
      url.username = role
      url.password = 'app'
      const knex: Knex = createKnex({ client: 'pg', connection: url.href, pool: { min: 0, max: 1 } })
      try {
        const ownRights = defineCommand({ aggregate: Subscription, build: () => ({ type: 'Deactivated' }) })
        expect(await ownRights.call(knex, { id: 12 })).toMatchObject({ type: 'Deactivated' })
        expect(await Create.call(knex, { id: 40 })).toMatchObject({ version: 1 })
      } finally {
        await knex.destroy()
        await db.admin.query(`drop owned by ${role}; drop role ${role}`)
      }
      await clean()
    })
  })
})

interface MembersRow {
  team: string
  place: Integer
  name: string | null
}
const members = defineTable<MembersRow>()({
  schema: 'public',
  name: 'members',
  key: ['team', 'place'],
  columns: {
    team: { type: 'text', nullable: false },
    place: { type: 'integer', nullable: false },
    name: { type: 'text', nullable: true },
  },
})
const Member = defineAggregate({
  name: 'Member',
  table: members,
  events: { Joined: { creates: true, data: ['name'] }, Renamed: { data: ['name'] } },
})

describe('a command on a partitioned table with a key of two columns', () => {
  const db = testDatabase()
  const app = appKnex(db)

  it('finds its row by both, and creates it in its partition', async () => {
    await db.admin.query(`
      create table public.members (team text, place integer, name text, primary key (team, place)) partition by hash (team);
      create table public.members_0 partition of public.members for values with (modulus 2, remainder 0);
      create table public.members_1 partition of public.members for values with (modulus 2, remainder 1)`)
    await installCapture(db.database, Member)
    const Join = defineCommand({
      aggregate: Member,
      creates: true,
      attributes: schema<{ name: string }>(),
      build: (_, { name }) => ({ type: 'Joined', data: { name } }),
    })
    const Rename = defineCommand({
      aggregate: Member,
      attributes: schema<{ name: string }>(),
      build: (_, { name }) => ({ type: 'Renamed', data: { name } }),
    })
    for (const team of ['a"b', 'c', 'd', 'e']) {
      expect(await Join.call(app(), { team, place: 1, name: 'x' })).toMatchObject({
        id: JSON.stringify([team, '1']),
        version: 1,
      })
    }
    expect(await Rename.call(app(), { team: 'a"b', place: 1n, name: 'y' })).toMatchObject({ version: 2 })
    await expect(Rename.call(app(), { team: 'a"b', place: 2, name: 'y' })).rejects.toMatchObject({
      code: 'EW_COMMAND_GONE',
    })
    await expect(Rename.call(app(), { team: 'a"b', name: 'y' } as never)).rejects.toMatchObject({
      code: 'EW_COMMAND_INVALID',
      details: { issues: [{ path: ['place'] }] },
    })
    await expect(Join.call(app(), { team: 'a', name: 'y' })).rejects.toMatchObject({
      code: 'EW_COMMAND_INVALID',
    })
    for (const engine of ['sql', 'replay'] as const) {
      expect((await verify(db.database, Member, { engine })).differences).toEqual([])
    }
  })
})

describe('a command in a database without eventward', () => {
  const db = testDatabase({ migrated: false })
  const app = appKnex(db)

  it('is refused', async () => {
    await db.admin.query(createSubscriptions)
    await expect(Activate.call(app(), { id: 12, stripe_key: 'k' })).rejects.toMatchObject({
      code: 'EW_NOT_CAPTURED',
    })
  })
})
