import { DatabaseError, EventwardError } from '../errors/index.js'
import type { Target } from './session.js'

type Failure = Error & {
  readonly code?: unknown
  readonly detail?: unknown
  readonly hint?: unknown
  readonly where?: unknown
  readonly schema?: unknown
  readonly table?: unknown
  readonly column?: unknown
  readonly constraint?: unknown
  /** The function of the server that raised it: never translated. */
  readonly routine?: unknown
}

/**
 * The SQLSTATE behind an error, through any number of causes, or undefined where the server said none.
 * What callers react to: 55P03 (lock not available), 57014 (cancelled, timed out), 40P01 (deadlock), 23505, class 22.
 */
export function sqlstateOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const { code } = at as Failure
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !SOCKET_CODES.has(code)) return code
  }
  return undefined
}

/** Wraps what the driver or the server raised. The one place where that is done; an EventwardError stays as it is. */
export function databaseError(cause: unknown, target: Target): EventwardError {
  if (cause instanceof EventwardError) return cause
  const failure = firstFailure(cause)
  const where = `${target.host}:${target.port}/${target.database}`
  const sqlstate = sqlstateOf(failure)
  const details = { host: target.host, port: target.port, database: target.database, user: target.user }
  const known = recognise(failure, sqlstate)
  if (known !== undefined) {
    const message = `${where}: ${known.what(target, failure)}`
    return new DatabaseError(known.code, message, {
      next: known.next,
      details: { ...details, ...(sqlstate === undefined ? {} : { sqlstate }) },
      cause,
    })
  }
  const named = Object.fromEntries(
    (['detail', 'hint', 'where', 'schema', 'table', 'column', 'constraint'] as const)
      .filter((name) => typeof failure[name] === 'string')
      .map((name) => [name, failure[name]]),
  )
  return new DatabaseError('EW_DB_FAILED', `${where}: ${failure.message}${state(sqlstate)}`, {
    ...(typeof failure.hint === 'string' ? { next: failure.hint } : {}),
    details: { ...details, ...named, ...(sqlstate === undefined ? {} : { sqlstate }) },
    cause,
  })
}

interface Known {
  readonly code: `EW_DB_${string}`
  readonly what: (target: Target, failure: Failure) => string
  readonly next: string
}

const UNREACHABLE: Known = {
  code: 'EW_DB_UNREACHABLE',
  what: (_, failure) => `no connection (${reason(failure)})`,
  next: 'Check host, port and firewall, and that the server is running: the URL comes from --url, the configuration, DATABASE_URL or PGHOST and PGPORT.',
}
const AUTH: Known = {
  code: 'EW_DB_AUTH',
  what: ({ user }, failure) => `user ${JSON.stringify(user)} was not let in (${failure.message})`,
  next: 'Check user and password of the URL (or PGUSER and PGPASSWORD), and pg_hba.conf on the server.',
}
const MISSING: Known = {
  code: 'EW_DB_MISSING',
  what: ({ database }) => `there is no database ${JSON.stringify(database)}`,
  next: 'Check the name at the end of the URL (or PGDATABASE).',
}
const FULL: Known = {
  code: 'EW_DB_FULL',
  what: (_, failure) => `the server takes no more connections (${failure.message})`,
  next: 'Lower --workers, or raise max_connections.',
}
const LOST: Known = {
  code: 'EW_DB_LOST',
  what: (_, failure) => `the connection was lost (${reason(failure)})`,
  next: 'What was committed is kept. Run the command again once the server is back: it goes on from there.',
}

/** Errors after which the server has closed the connection: shutdown, crash, and the timeouts that end a session. */
const ENDS_SESSION = new Set(['57P01', '57P02', '57P05', '25P03', '25P04'])
/** Codes of the operating system that look like an SQLSTATE. */
const SOCKET_CODES = new Set(['EPIPE', 'EPERM', 'EBADF'])
const NO_CONNECTION = new Set(
  'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ETIMEDOUT ENOENT EACCES EADDRNOTAVAIL'.split(
    ' ',
  ),
)
const CONNECTION_GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE'])

function recognise(failure: Failure, sqlstate: string | undefined): Known | undefined {
  if (sqlstate?.startsWith('28') || /^(SASL|SCRAM)/.test(failure.message)) return AUTH
  if (sqlstate === '3D000') return MISSING
  if (sqlstate === '53300') return FULL
  // Starting up or shutting down: refused at the door.
  if (sqlstate === '57P03') return UNREACHABLE
  // `alter database ... allow_connections false`: told apart from other 55000s by who raised it.
  if (sqlstate === '55000' && failure.routine === 'CheckMyDatabase') return UNREACHABLE
  if (sqlstate !== undefined && (ENDS_SESSION.has(sqlstate) || sqlstate.startsWith('08'))) return LOST
  if (sqlstate !== undefined) return undefined
  if (typeof failure.code === 'string' && NO_CONNECTION.has(failure.code)) return UNREACHABLE
  if (typeof failure.code === 'string' && CONNECTION_GONE.has(failure.code)) return LOST
  // The driver gives these no code: its words are all there is.
  if (
    /^timeout exp|connection timeout|does not support SSL|SSL connection|certificate/i.test(failure.message)
  ) {
    return UNREACHABLE
  }
  return /^Connection terminated|not queryable|Cannot use a pool after/.test(failure.message)
    ? LOST
    : undefined
}

/** A refused connection to a name of several addresses comes as an AggregateError without words of its own. */
function firstFailure(cause: unknown): Failure {
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0]
  return cause instanceof Error ? cause : new DatabaseError('EW_DB_FAILED', String(cause))
}

function reason(failure: Failure): string {
  return failure.message === '' ? String(failure.code) : failure.message
}

function state(sqlstate: string | undefined): string {
  return sqlstate === undefined ? '' : ` (SQLSTATE ${sqlstate})`
}
