import type pg from 'pg'

/** A named point at which one side of a race stops until the other lets it go on. */
export interface Gate {
  /** Resolves once someone stands at the gate. */
  readonly entered: Promise<void>
  /** Stand at the gate until it's opened. */
  readonly pass: () => Promise<void>
  readonly open: () => void
}

/** Scripts a race: `await gate.entered`, do the other side's work, `gate.open()`. */
export function gate(): Gate {
  let enter = () => {}
  let open = () => {}
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    entered,
    pass: () => {
      enter()
      return opened
    },
    open: () => open(),
  }
}

/** Asks again and again until the answer is yes. Fails, naming what was waited for. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  { withinMs = 20_000, what = 'a condition' }: { withinMs?: number; what?: string } = {},
): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The server's process of a client. */
export async function backendPid(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ pid: unknown }>('select pg_catalog.pg_backend_pid() as pid')
  return String(rows[0]?.pid)
}

/** Waits until another session waits for a lock: held by `by` where given. `observer` must be a third client. */
export async function waitUntilBlocked(observer: pg.ClientBase, pid: string, by?: string): Promise<void> {
  await until(
    async () => {
      const { rows } = await observer.query<{ blocked: unknown }>(
        `select case when $2::integer is null then cardinality(pg_catalog.pg_blocking_pids($1::integer)) > 0
           else $2::integer = any (pg_catalog.pg_blocking_pids($1::integer)) end as blocked`,
        [pid, by ?? null],
      )
      return rows[0]?.blocked === 't' || rows[0]?.blocked === true
    },
    { what: `process ${pid} to wait for a lock${by === undefined ? '' : ` of process ${by}`}` },
  )
}
