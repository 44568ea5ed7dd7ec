import { describe, expect, it } from 'vitest'
import {
  builder,
  databaseError,
  fromKnex,
  pinSettings,
  SESSION_SETTINGS,
  sqlstateOf,
} from '../../src/db/index.js'
import { UsageError } from '../../src/errors/index.js'

const target = { host: 'db.example', port: '5432', database: 'shop', user: 'app' }
const failure = (message: string, fields: object = {}) => Object.assign(new Error(message), fields)

describe('an error of the driver or the server', () => {
  it.each([
    ['EW_DB_UNREACHABLE', failure('connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' })],
    ['EW_DB_UNREACHABLE', failure('getaddrinfo ENOTFOUND nowhere', { code: 'ENOTFOUND' })],
    ['EW_DB_UNREACHABLE', new AggregateError([failure('', { code: 'ECONNREFUSED' })])],
    ['EW_DB_UNREACHABLE', failure('timeout expired')],
    ['EW_DB_UNREACHABLE', failure('The server does not support SSL connections')],
    ['EW_DB_UNREACHABLE', failure('the database system is starting up', { code: '57P03' })],
    ['EW_DB_AUTH', failure('password authentication failed for user "app"', { code: '28P01' })],
    ['EW_DB_AUTH', failure('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')],
    ['EW_DB_MISSING', failure('database "shop" does not exist', { code: '3D000' })],
    ['EW_DB_FULL', failure('sorry, too many clients already', { code: '53300' })],
    ['EW_DB_LOST', failure('terminating connection due to administrator command', { code: '57P01' })],
    ['EW_DB_LOST', failure('Connection terminated unexpectedly')],
    ['EW_DB_LOST', failure('Client has encountered a connection error and is not queryable')],
    ['EW_DB_LOST', failure('read ECONNRESET', { code: 'ECONNRESET' })],
    ['EW_DB_LOST', failure('write EPIPE', { code: 'EPIPE' })],
    ['EW_DB_LOST', failure('connection to server lost', { code: '08006' })],
    ['EW_DB_FAILED', failure('deadlock detected', { code: '40P01' })],
    ['EW_DB_FAILED', failure('canceling statement due to statement timeout', { code: '57014' })],
    ['EW_DB_FAILED', failure('something new')],
  ])('is %s: %s', (code, cause) => {
    const error = databaseError(cause, target)
    expect(error).toMatchObject({ code, exitStatus: 3, cause })
    expect(error.message).toMatch(/^db\.example:5432\/shop: ./)
    expect(error.details).toMatchObject({ host: 'db.example', database: 'shop' })
  })

  it('keeps its SQLSTATE through any number of causes', () => {
    const cause = failure('deadlock detected', { code: '40P01' })
    expect(databaseError(cause, target).details['sqlstate']).toBe('40P01')
    expect(
      sqlstateOf(new Error('a', { cause: new Error('b', { cause: databaseError(cause, target) }) })),
    ).toBe('40P01')
    expect(sqlstateOf(failure('write EPIPE', { code: 'EPIPE' }))).toBeUndefined()
    expect(sqlstateOf('no error at all')).toBeUndefined()
  })

  it('that is ours already stays as it is', () => {
    const ours = new UsageError('EW_TEST', 'ours')
    expect(databaseError(ours, target)).toBe(ours)
  })
})

describe('the pinned settings', () => {
  it('are set in one statement, search_path as a list, every function by its schema', () => {
    const { text } = pinSettings("it's \\ ours")
    expect(text.split(';')).toHaveLength(1)
    expect(text).toContain(`pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)`)
    expect(text.match(/(?<!pg_catalog\.)set_config/g)).toBeNull()
    expect(text.match(/set_config/g)).toHaveLength(Object.keys(SESSION_SETTINGS).length + 2)
    expect(text).toContain(`'application_name',  E'it''s \\\\ ours'`)
  })
})

describe('what knex built', () => {
  it('becomes a query whose values are texts', () => {
    const query = fromKnex(
      builder('runs')
        .withSchema('eventward')
        .where({ id: 12n, ok: true })
        .update({ state: 'done', note: null }),
    )
    expect(query).toEqual({
      text: 'update "eventward"."runs" set "state" = $1, "note" = $2 where "id" = $3 and "ok" = $4',
      values: ['done', null, '12', 'true'],
    })
  })

  it('is refused where a value has no plain text', () => {
    expect(() => fromKnex(builder('runs').where({ at: new Date(0) }))).toThrow(
      expect.objectContaining({ code: 'EW_DB_BINDING' }),
    )
  })
})
