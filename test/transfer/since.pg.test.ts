/** What an earlier export holds is a matter of its tables as well as of its moment. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { captureOn } from '../../src/capture/index.js'
import { exportEvents } from '../../src/transfer/index.js'
import { testDatabase } from '../support/database.js'
import { createPeople, Login, Person } from './people.js'

const db = testDatabase()

it('an export since an earlier one holds all of a table that the earlier one was not about', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eventward-transfer-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = (name: string) => join(folder, name)
  const holds = async (name: string) =>
    [...(await readFile(path(name), 'utf8')).matchAll(/"aggregate":"(\w+)","id":"(\d+)"/g)].map(
      ([, aggregate, id]) => `${aggregate} ${id}`,
    )
  const person = (n: number) =>
    db.admin.query(
      `insert into public.people (email, status, joined_at) values ('${n}@example.org', 'here', now())`,
    )
  await db.admin.query(createPeople)
  for (const definition of [Person, Login]) await captureOn(db.database, definition)
  await person(1)
  await db.admin.query(`insert into public.logins (secret) values ('s')`)
  await exportEvents(db.database, [Person], { out: path('people') })
  await person(2)
  await exportEvents(db.database, [Person, Login], { out: path('both'), since: path('people') })
  await person(3)
  await exportEvents(db.database, [Person, Login], { out: path('then'), since: path('both') })
  expect([await holds('people'), await holds('both'), await holds('then')]).toEqual([
    ['Person 1'],
    ['Login 1', 'Person 2'],
    ['Person 3'],
  ])
})
