/** `npx tsx examples/adopt-express/serve.ts before|after`: on the database of DATABASE_URL, at PORT (3000 unless set). */
import type { AddressInfo } from 'node:net'
import createKnex from 'knex'

const [, , which = 'before'] = process.argv
const { createApp } = await (which === 'after' ? import('./after.js') : import('./before.js'))
const knex = createKnex({
  client: 'pg',
  connection: process.env['DATABASE_URL'] ?? '',
  pool: { min: 0, max: 8 },
})
const server = createApp(knex).listen(Number(process.env['PORT'] ?? 3_000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

// A deployment ends it: what is under way is answered first.
process.once('SIGTERM', () => {
  server.close(() => knex.destroy())
  server.closeIdleConnections()
})
