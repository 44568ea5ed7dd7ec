import type { Session } from '../db/index.js'
import { sql } from '../sql/index.js'
import { type Finding, fine, found } from './finding.js'

/** Looks at the server: its version, encoding, and the settings that would get in our way. */
export async function checkServer(session: Session): Promise<readonly Finding[]> {
  const server = await session.one(sql`
    select
      current_setting('server_version_num') as version_num,
      current_setting('server_version') as version,
      current_setting('server_encoding') as encoding,
      (select setting from pg_settings where name = 'deadlock_timeout') as deadlock_ms,
      (select reset_val from pg_settings where name = 'statement_timeout') as statement_ms,
      (select reset_val from pg_settings where name = 'default_transaction_isolation') as isolation,
      current_setting('session_replication_role') as replication_role,
      pg_is_in_recovery() as standby`)
  return [
    // `connect` refuses a pooler with EW_DB_POOLER before anything else is done.
    fine('connection', 'to the server itself, with no pooler between'),
    version(Number(server['version_num']), String(server['version'])),
    encoding(String(server['encoding'])),
    deadlockTimeout(Number(server['deadlock_ms'])),
    statementTimeout(Number(server['statement_ms'])),
    isolation(String(server['isolation'])),
    replicationRole(String(server['replication_role'])),
    standby(server['standby'] === 't'),
  ]
}

function version(number: number, name: string): Finding {
  const major = Math.floor(number / 10_000)
  if (major < 14) {
    return found('stop', 'version', `PostgreSQL ${name} is too old`, 'Upgrade the server to 14 or later.')
  }
  if (major > 18) {
    return found(
      'warn',
      'version',
      `PostgreSQL ${name} is newer than what eventward was tested on`,
      'Rehearse the move on a copy first.',
    )
  }
  return fine('version', `PostgreSQL ${name}`)
}

/** Bytes of an unknown encoding can't become jsonb as what they mean. */
function encoding(name: string): Finding {
  if (name === 'UTF8') return fine('encoding', 'UTF8')
  if (name === 'SQL_ASCII') {
    return found(
      'stop',
      'encoding',
      'SQL_ASCII stores bytes without a meaning: jsonb can not hold them all',
      'Move the data to a UTF8 database.',
    )
  }
  return found(
    'warn',
    'encoding',
    `${name}: a character that it lacks can not be given back`,
    'Rehearse with `eventward plan` and `eventward verify`.',
  )
}

/** A chunk lives shorter than this, so that a deadlock never makes the application the victim. */
function deadlockTimeout(ms: number): Finding {
  if (ms >= 500) return fine('deadlock_timeout', `${ms} ms`)
  return found(
    'warn',
    'deadlock_timeout',
    `${ms} ms is shorter than a chunk may live: a deadlock may hit the application`,
    'Set deadlock_timeout to its default, 1s, for the time of the move.',
  )
}

function statementTimeout(ms: number): Finding {
  if (ms === 0) return fine('statement_timeout', 'none for this role')
  return found(
    'info',
    'statement_timeout',
    `${ms} ms for this role; our own sessions set their own`,
    'Nothing, unless the application shares the role.',
  )
}

/** Hazards B1 and B8: what the application sees when its snapshots are older than our writes. */
function isolation(name: string): Finding {
  if (name === 'read committed') return fine('isolation', 'read committed by default')
  return found(
    'warn',
    'isolation',
    `the default is ${name}: a serialization failure may come up in writers of captured tables`,
    'See that the application retries those (SQLSTATE 40001).',
  )
}

function replicationRole(role: string): Finding {
  if (role === 'origin') return fine('session_replication_role', 'origin')
  return found(
    'warn',
    'session_replication_role',
    `${role}: ordinary triggers are passed over`,
    'Set it to origin for this role.',
  )
}

function standby(isStandby: boolean): Finding {
  if (!isStandby) return fine('primary', 'the server takes writes')
  return found('stop', 'primary', 'the server is a standby: it takes no writes', 'Connect to the primary.')
}
