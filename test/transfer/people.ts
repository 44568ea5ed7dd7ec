/** People whose values must not leave: under two schema versions, renamed, as residue, beside an attribute of their name. */
import { defineAggregate, defineTable, type Integer, occurredAt } from '../../src/definition/index.js'
import { text } from '../support/account.js'

export interface PeopleRow {
  id: Integer
  email: string
  nick: string | null
  phone: string | null
  ssn: Integer | null
  code: string | null
  token: string | null
  status: string
  joined_at: string
}

export const people = defineTable<PeopleRow>()({
  schema: 'public',
  name: 'people',
  key: ['id'],
  columns: {
    id: { type: 'integer', nullable: false },
    email: { type: 'character varying(60)', nullable: false },
    nick: { type: 'character varying(8)', nullable: true },
    phone: { type: 'text', nullable: true },
    ssn: { type: 'integer', nullable: true },
    code: { type: 'character(6)', nullable: true },
    token: { type: 'uuid', nullable: true },
    status: { type: 'text', nullable: false },
    joined_at: { type: 'timestamp with time zone', nullable: false },
  },
})

export const logins = defineTable<{ id: Integer; email: string | null; secret: string }>()({
  schema: 'public',
  name: 'logins',
  key: ['id'],
  columns: {
    id: { type: 'integer', nullable: false },
    email: { type: 'character varying(60)', nullable: true },
    secret: { type: 'text', nullable: false },
  },
})

export const createPeople = `
  create table public.people (
    id integer generated always as identity primary key,
    email varchar(60) not null unique,
    nick varchar(8),
    phone text,
    ssn integer,
    code char(6),
    token uuid,
    status text not null,
    joined_at timestamptz not null
  );
  create unique index on public.people (lower(email));
  create table public.logins (
    id serial primary key,
    email varchar(60) references public.people (email) on update cascade,
    secret text not null
  );`

const base = { name: 'Person', table: people } as const

/** The older release: attributes bear their columns' names. */
export const PersonThen = defineAggregate({
  ...base,
  events: {
    Joined: { creates: true, data: ['email', 'nick', 'ssn'], set: { status: 'here', joined_at: occurredAt } },
    Left: { facts: { reason: text, token: text }, set: { status: 'left' } },
  },
})

/** The newer one: `phone` is what it calls the nick, so that the column of that name travels as `$residue`. */
export const Person = defineAggregate({
  ...base,
  events: {
    Joined: {
      schemaVersion: 2,
      creates: true,
      data: { mail: 'email', phone: 'nick', ssn: 'ssn' },
      set: { status: 'here', joined_at: occurredAt },
    },
    Left: { facts: { reason: text, token: text }, set: { status: 'left' } },
  },
})

export const Login = defineAggregate({
  name: 'Login',
  table: logins,
  events: { Used: { creates: true, data: ['email', 'secret'] } },
})
