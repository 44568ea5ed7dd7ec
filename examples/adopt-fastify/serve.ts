/** `npx tsx examples/adopt-fastify/serve.ts`: on the database of DATABASE_URL, at PORT (3000 unless set). */
import createKnex from 'knex'
import { createApp } from './after.js'

const knex = createKnex({
  client: 'pg',
  connection: process.env['DATABASE_URL'] ?? '',
  pool: { min: 0, max: 8 },
})
const app = createApp(knex).addHook('onClose', () => knex.destroy())
console.log(await app.listen({ port: Number(process.env['PORT'] ?? 3_000) }))

// A deployment ends it: what is under way is answered first.
process.once('SIGTERM', () => app.close())
