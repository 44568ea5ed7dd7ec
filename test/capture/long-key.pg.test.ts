import { beforeAll, describe, expect, it } from 'vitest'
import { defineAggregate, defineTable } from '../../src/definition/index.js'
import { testDatabase } from '../support/database.js'
import { installCapture } from '../support/install-capture.js'

interface PagesRow {
  url: string
  lang: string
  title: string | null
}

const Page = defineAggregate({
  name: 'Page',
  table: defineTable<PagesRow>()({
    schema: 'public',
    name: 'pages',
    key: ['url', 'lang'],
    columns: {
      url: { type: 'text', nullable: false },
      lang: { type: 'text', nullable: false },
      title: { type: 'text', nullable: true },
    },
  }),
  events: { Published: { creates: true, data: ['title'] } },
})

/** Quotes, which a JSON array escapes: the stream's id is twice as long as the key, and doesn't compress. */
const LONG = `(select string_agg(chr(34) || md5(i::text), '') from generate_series(1, 80) i)`

describe('a key that the index of the table holds, and ours does not', () => {
  const db = testDatabase()

  beforeAll(async () => {
    await db.admin.query('create table pages (url text, lang text, title text, primary key (url, lang))')
    await installCapture(db.database, Page)
  })

  it('does not fail the application’s write; the stream is noted as incomplete', async () => {
    await db.admin.query(`insert into pages values (${LONG}, 'en', 'a'), ('short', 'en', 'b')`)
    await db.admin.query(`update pages set title = 'c'`)
    await db.admin.query(`delete from pages`)
    const { rows } = await db.admin.query<{ types: string }>(
      `select string_agg(type, ' ' order by version) as types from events group by aggregate_id`,
    )
    expect(rows).toEqual([{ types: 'Published Changed Deleted' }])
    const noted = await db.admin.query(
      `select count(*) as n, min(reason) as reason from eventward.incomplete where aggregate_type = 'Page'`,
    )
    expect(noted.rows).toEqual([{ n: '3', reason: expect.stringContaining('exceeds btree') }])
  })
})
