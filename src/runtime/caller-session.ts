import type { Session, TextRow } from '../db/index.js'
import { DatabaseError } from '../errors/index.js'
import type { Query } from '../sql/index.js'
import { type CallerConnection, pinLocally, savepoint } from './caller-connection.js'

const NAME = 'eventward_read'

/**
 * A session for reading within the application's transaction: each statement runs under our pinned settings in a
 * savepoint that is rolled back, so that neither settings nor a failed statement is left behind. Nothing that it writes
 * or locks stays.
 */
export function readingSession(connection: CallerConnection): Session {
  const rows = async <R extends TextRow>(query: Query): Promise<readonly R[]> => {
    try {
      const answers = await connection.run([
        savepoint.begin(NAME),
        pinLocally,
        query,
        savepoint.undo(NAME),
        savepoint.end(NAME),
      ])
      return (answers[2]?.rows ?? []) as readonly R[]
    } catch (error) {
      // Fails in turn where the connection is gone, or the transaction was aborted before: the first error tells more.
      await connection.run([savepoint.undo(NAME), savepoint.end(NAME)]).catch(() => undefined)
      throw error
    }
  }
  const session: Session = {
    rows,
    async one<R extends TextRow>(query: Query) {
      const found = await rows<R>(query)
      const [row] = found
      if (row === undefined || found.length > 1) {
        throw new DatabaseError('EW_DB_NOT_ONE', `expected one row, got ${found.length}`, {
          details: { statement: query.text },
        })
      }
      return row
    },
    execute: async (query) => (await rows(query)).length,
    transaction: (_, work) => work(session),
    copyTo: () => {
      throw new DatabaseError('EW_DB_NESTED', "there is no COPY within an application's transaction")
    },
  }
  return session
}
