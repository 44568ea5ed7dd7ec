/** Forms of capture that a first design would take, each in a file of its own: tests show what each of them breaks. */
import { readFile } from 'node:fs/promises'
import type pg from 'pg'

/** Makes the naive event store and these naive trigger functions, in the schema `naive`. */
export async function installNaive(admin: pg.Client, ...names: readonly string[]): Promise<void> {
  for (const name of ['store', ...names]) {
    await admin.query(await readFile(new URL(`${name}.sql`, import.meta.url), 'utf8'))
  }
}

/** The events of the naive stream: `1 Created {"a": 1}`. */
export async function naiveStream(admin: pg.Client, id: string): Promise<readonly string[]> {
  const { rows } = await admin.query<Record<'version' | 'type' | 'data', string | null>>(
    'select version, type, data::text as data from naive.events where id = $1 order by version',
    [id],
  )
  return rows.map(({ version, type, data }) =>
    [version, type, data].filter((part) => part !== null).join(' '),
  )
}

/** Ids of rows that are not what their naive stream ends in. */
export async function naiveWrong(admin: pg.Client, table: string): Promise<readonly string[]> {
  const { rows } = await admin.query<{ id: string }>('select naive.wrong($1::regclass) as id', [table])
  return rows.map(({ id }) => id)
}
