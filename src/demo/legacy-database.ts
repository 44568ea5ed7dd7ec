import { connect } from '../db/index.js'
import { literal, raw, sql } from '../sql/index.js'
import { CREATE_LEDGER, CREATE_SUBSCRIPTIONS, INSERT_PLAUSIBLE, INSERT_SLIDE } from './demo-data.js'

export interface LegacyDatabase {
  /** URL as the application's role: the owner of its tables, no superuser. */
  readonly url: string
  readonly superuserUrl: string
}

/** Makes the database `shop` of an ordinary role, with the application's table and rows. */
export async function createLegacyDatabase(serverUrl: string): Promise<LegacyDatabase> {
  const superuserUrl = withPath(serverUrl, 'shop')
  const own = new URL(superuserUrl)
  own.username = 'shop'
  const server = await connect({ url: serverUrl, max: 1, applicationName: 'demo' })
  try {
    await server.session(async (session) => {
      await session.execute(sql`create role shop login password ${raw(literal(own.password))}`)
      // Applications live in time zones.
      await session.execute(sql`alter role shop set timezone = 'Europe/Berlin'`)
      await session.execute(sql`create database shop owner shop`)
    })
  } finally {
    await server.close()
  }
  const shop = await connect({ url: own.href, max: 1, applicationName: 'shop' })
  try {
    await shop.session(async (session) => {
      for (const text of [CREATE_SUBSCRIPTIONS, CREATE_LEDGER, INSERT_SLIDE, INSERT_PLAUSIBLE]) {
        await session.execute({ text, values: [] })
      }
      await session.execute(sql`analyze public.subscriptions`)
    })
  } finally {
    await shop.close()
  }
  return { url: own.href, superuserUrl }
}

function withPath(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = database
  return changed.href
}
