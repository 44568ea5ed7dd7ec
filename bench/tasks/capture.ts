import pg from 'pg'
import { serverCpu } from '../server-cpu.js'
import type { Outcome, TaskOptions } from '../task.js'

/** Plans are generic, and catalogs read, before anything is measured. */
const WARM = 200

/**
 * Runs a statement `size` times over one connection, each time in a transaction of its own: `$1` is the number of the
 * run, after `from`. Tells the time and the server's CPU of those alone, in ms.
 */
export async function capture(url: string, { statement, size, from, pid }: TaskOptions): Promise<Outcome> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' })
  await client.connect()
  const run = (n: number) =>
    client.query({
      name: 'measured',
      text: statement,
      ...(statement.includes('$1') ? { values: [String(from + n)] } : {}),
    })
  try {
    const warm = size === 1 ? 0 : WARM
    for (let n = 0; n < warm; n += 1) await run(n)
    const before = serverCpu(pid)
    const started = performance.now()
    for (let n = warm; n < warm + size; n += 1) await run(n)
    const ms = performance.now() - started
    const after = serverCpu(pid)
    return { ms, ...(before === null || after === null ? {} : { cpu: after - before }) }
  } finally {
    await client.end()
  }
}
