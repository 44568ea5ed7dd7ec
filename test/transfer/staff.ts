/** Two tables whose foreign keys make a circle, one of them to itself as well; identity, a computed column, a default. */
import { defineAggregate, defineTable, type Integer } from '../../src/definition/index.js'

export const departments = defineTable<{ id: Integer; name: string; head_id: Integer | null }>()({
  schema: 'public',
  name: 'departments',
  key: ['id'],
  columns: {
    id: { type: 'bigint', nullable: false },
    name: { type: 'text', nullable: false },
    head_id: { type: 'integer', nullable: true },
  },
})

export const employees = defineTable<{
  id: Integer
  department_id: Integer
  boss_id: Integer | null
  name: string
}>()({
  schema: 'public',
  name: 'employees',
  key: ['id'],
  columns: {
    id: { type: 'integer', nullable: false },
    department_id: { type: 'bigint', nullable: false },
    boss_id: { type: 'integer', nullable: true },
    name: { type: 'text', nullable: false },
  },
})

export const Department = defineAggregate({
  name: 'Department',
  table: departments,
  events: { Founded: { creates: true, data: ['name'] }, Headed: { data: ['head_id'] } },
})

export const Employee = defineAggregate({
  name: 'Employee',
  table: employees,
  events: { Hired: { creates: true, data: ['name', 'department_id', 'boss_id'] } },
})

export const createStaff = `
  create table public.departments (
    id bigint generated always as identity (increment by 10) primary key,
    name text not null,
    head_id integer default 0
  );
  create table public.employees (
    id serial primary key,
    department_id bigint not null references public.departments,
    boss_id integer references public.employees,
    name text not null,
    shouted text generated always as (upper(name)) stored
  );
  alter table public.departments add foreign key (head_id) references public.employees`

/** The last employee is gone, and its number stays taken. */
export const insertStaff = `
  insert into public.departments (name, head_id) select 'd' || n, null from generate_series(1, 30) n;
  insert into public.employees (department_id, name) select (n % 30) * 10 + 1, 'e' || n from generate_series(1, 120) n;
  update public.employees set boss_id = id - id % 6 where id > 6 and id % 6 <> 0;
  update public.departments d set head_id = (select max(e.id) from public.employees e where e.department_id = d.id) where id % 3 = 1;
  insert into public.employees (department_id, name) values (1, 'short'); delete from public.employees where name = 'short'`
