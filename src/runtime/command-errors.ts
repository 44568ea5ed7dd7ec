import { type StandardIssue, tableName } from '../definition/index.js'
import { ConflictError, DatabaseError, GateError, shellWord, UsageError } from '../errors/index.js'

/** A command as messages name it. */
export interface Named {
  /** `Subscription.Activate`, or the aggregate alone where the command has no name. */
  readonly where: string
  readonly table: { readonly schema: string; readonly name: string }
}

/** The attributes are not what the command takes; `details.issues` has them all. */
export function invalid({ where }: Named, issues: readonly StandardIssue[]): UsageError {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return new UsageError(
    'EW_COMMAND_INVALID',
    `${where}: ${pathOf(first)}${first?.message ?? 'the attributes are not valid'}${more}`,
    { next: 'Correct the attributes; nothing was written.', details: { issues } },
  )
}

/** The state does not allow it. */
export function refusedBy({ where }: Named, id: string | null, objection: string): GateError {
  return new GateError('EW_COMMAND_REFUSED', `${where} ${id ?? ''}: ${objection}`.replace(' :', ':'), {
    next: 'Nothing was written: look at the present row.',
    details: { id, objection },
  })
}

export function gone({ where, table }: Named, key: Readonly<Record<string, unknown>>): GateError {
  const shown = Object.entries(key).map(([column, value]) => `${column} ${String(value)}`)
  return new GateError('EW_COMMAND_GONE', `${where}: ${tableName(table)} has no row ${shown.join(', ')}`, {
    next: 'It was removed, or never there: nothing was written.',
    details: {
      key: Object.fromEntries(Object.entries(key).map(([column, value]) => [column, String(value)])),
    },
  })
}

/** Someone came first. */
export function conflict(
  { where }: Named,
  {
    id,
    version,
    expected,
  }: { readonly id: string | null; readonly version: number; readonly expected: number },
): ConflictError {
  return new ConflictError(
    'EW_CONFLICT',
    `${where} ${id ?? ''}: expected version ${expected}, and it is at ${version}`,
    { next: 'Nothing was written: read it again, and decide anew.', details: { id, version, expected } },
  )
}

export function notCaptured({ where, table }: Named, cause?: unknown): GateError {
  const name = tableName(table)
  return new GateError(
    'EW_NOT_CAPTURED',
    `${where}: ${name} is not captured: nothing would record the command's events`,
    {
      next: `Run \`eventward capture on ${shellWord(name)}\` (and \`eventward migrate up\` before it, where it was never done).`,
      details: { table: name },
      cause,
    },
  )
}

/** `build` gave what is no event of the aggregate: TypeScript would have told. */
export function wrongEvent({ where }: Named, what: string): UsageError {
  return new UsageError('EW_COMMAND_EVENT', `${where}: build ${what}`, {
    next: 'Correct the command: nothing was written.',
  })
}

export function unregistered({ where, table }: Named, type: string, version: number): GateError {
  const name = tableName(table)
  return new GateError(
    'EW_DEFINITION_UNREGISTERED',
    `${where}: ${type}, schema version ${version}, is not registered in this database as the code has it`,
    {
      next: `Register this definition (\`eventward capture on ${shellWord(name)}\`), or deploy the code that is registered.`,
      details: { table: name, type, schemaVersion: version },
    },
  )
}

/** The row was written, or not, and no trigger took the events: the transaction was ended. */
export function unused({ where, table }: Named, cause: unknown): DatabaseError {
  const name = tableName(table)
  return new DatabaseError(
    'EW_ANNOUNCEMENT',
    `${where}: no capture trigger of ${name} took the events; the transaction was aborted`,
    {
      next: `Run \`eventward capture status ${shellWord(name)}\`: a trigger of the table may keep the row from being written, or change its key.`,
      details: { table: name },
      cause,
    },
  )
}

function pathOf(issue: StandardIssue | undefined): string {
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return path.length === 0 ? '' : `${path.join('.')}: `
}
