import type pg from 'pg'

/** What an application sees of a statement: `done`, or the SQLSTATE of its error. Never rejects, so it may be left waiting. */
export async function outcome(statement: Promise<unknown>): Promise<string> {
  try {
    await statement
    return 'done'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

/** The server's process of a client that may be waiting: asked of the client, not of the server. */
export function pidOf(client: pg.ClientBase): string {
  return String((client as unknown as { readonly processID: number }).processID)
}
