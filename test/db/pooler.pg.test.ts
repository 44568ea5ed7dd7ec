import { type AddressInfo, createServer, connect as dial, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/db/index.js'
import { testDatabase } from '../support/database.js'

/** BackendKeyData: 'K', its length, then the pid and the secret. */
const BACKEND_KEY = Buffer.from([0x4b, 0, 0, 0, 12])

describe('behind a connection pooler', () => {
  const db = testDatabase()
  let server: Server | undefined
  afterEach(() => new Promise<void>((done) => (server === undefined ? done() : server.close(() => done()))))

  /** Gives clients another pid than the server's, as PgBouncer does; keeps what they sent. */
  async function pooler(sent: Buffer[]): Promise<string> {
    const { hostname, port } = new URL(db.url)
    server = createServer((client) => {
      const upstream = dial(Number(port), hostname)
      client.on('data', (data) => {
        sent.push(data)
        upstream.write(data)
      })
      upstream.on('data', (data) => {
        const at = data.indexOf(BACKEND_KEY)
        if (at >= 0) data.writeInt32BE(data.readInt32BE(at + 5) ^ 0x40000000, at + 5)
        client.write(data)
      })
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
      client.on('error', () => undefined)
      upstream.on('error', () => undefined)
    })
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    const url = new URL(db.url)
    url.hostname = '127.0.0.1'
    url.port = String((server.address() as AddressInfo).port)
    return url.href
  }

  it('nothing is set: the next one to be lent the connection would inherit it', async () => {
    const sent: Buffer[] = []
    const url = await pooler(sent)
    const refused = await connect({ url }).then(
      (database) => database.close(),
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({
      code: 'EW_DB_POOLER',
      message: expect.stringMatching(/is a connection pooler/),
      next: expect.stringMatching(/the server's own port/),
    })
    expect(Buffer.concat(sent).toString('latin1')).not.toMatch(/set_config|\bset\b/i)
  })
})
