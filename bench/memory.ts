import { makeFixture } from './fixture.js'
import { runTask } from './run-task.js'
import type { BenchServer } from './server.js'

/** Peak memory in MB of the Node process, by task. */
export interface Peaks {
  readonly rows: number
  readonly peakMb: Readonly<Record<string, number>>
}

/** Runs each command's work over tables of these sizes. `modules loaded` is a process that does nothing else. */
export async function measureMemory(
  server: BenchServer,
  sizes: readonly number[],
): Promise<readonly Peaks[]> {
  const found: Peaks[] = []
  for (const rows of sizes) {
    const fixture = await makeFixture(server, rows)
    try {
      await fixture.emptyEvents()
      const idle = await runTask(server, 'idle')
      const backfill = await runTask(server, 'backfill', { workers: 2, size: 5_000 })
      await fixture.settle()
      const sql = await runTask(server, 'verify', { engine: 'sql', workers: 2 })
      const replay = await runTask(server, 'verify', { engine: 'replay', workers: 2 })
      found.push({
        rows,
        peakMb: {
          'modules loaded': idle.peakMb,
          'backfill, 2 workers': backfill.peakMb,
          'verify sql, 2 workers': sql.peakMb,
          'verify replay, 2 workers': replay.peakMb,
        },
      })
    } finally {
      await fixture.close()
    }
  }
  return found
}
