/** An error that the application saw. */
export interface Refusal {
  readonly sqlstate: string
  readonly message: string
  readonly detail: string
  readonly where: string
  readonly place: string
}

/** Of what the driver threw; anything without an SQLSTATE is no answer of the server and is thrown on. */
export function refusalOf(error: unknown): Refusal {
  const failure = error as Readonly<Record<string, unknown>>
  const text = (name: string) => String(failure[name] ?? '')
  if (!/^[0-9A-Z]{5}$/.test(text('code'))) throw error
  return {
    sqlstate: text('code'),
    message: text('message'),
    detail: text('detail'),
    where: text('where'),
    place: [text('schema'), text('table'), text('constraint')].filter((part) => part !== '').join('.'),
  }
}

/** Whether it names something of ours, or is a deadlock with a session that isn't one of the application's. */
export function foreignBlame(
  { sqlstate, message, detail, where, place }: Refusal,
  pids: ReadonlySet<string>,
): boolean {
  if (/eventward|\bevents\b|events_|capture_/i.test(`${message}\n${detail}\n${where}\n${place}`)) return true
  if (sqlstate !== '40P01') return false
  return [...detail.matchAll(/[Pp]rocess (\d+)/g)].some(([, pid]) => pid !== undefined && !pids.has(pid))
}
