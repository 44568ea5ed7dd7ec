import type { Database, Session } from '../../src/db/index.js'
import type { Query } from '../../src/sql/index.js'

/** A database that asks `before` ahead of each statement: to stand at a gate, or to die there. */
export function interpose(database: Database, before: (text: string) => Promise<void> | undefined): Database {
  return {
    target: database.target,
    close: () => database.close(),
    cancelAll: () => database.cancelAll(),
    session: (work) => database.session((session) => work(wrapped(session, before))),
  }
}

function wrapped(session: Session, before: (text: string) => Promise<void> | undefined): Session {
  const own: Session = {
    rows: async <R>(query: Query) => {
      await before(query.text)
      return (await session.rows(query)) as readonly R[]
    },
    one: async <R>(query: Query) => {
      await before(query.text)
      return (await session.one(query)) as R
    },
    execute: async (query) => {
      await before(query.text)
      return session.execute(query)
    },
    transaction: (options, work) => session.transaction(options, () => work(own)),
    copyTo: (text) => session.copyTo(text),
  }
  return own
}

/** What a process that is killed says to its callers. */
export class Killed extends Error {}
