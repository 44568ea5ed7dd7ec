import Table from 'cli-table3'
import { makeFixture } from './fixture.js'
import { runTask } from './run-task.js'
import type { BenchServer } from './server.js'

/** Flips a table to and fro under load, in a process of its own, and prints what that cost its writers. */
export async function measureFlips(
  on: BenchServer,
  { rows, json }: { rows: number; json: boolean },
): Promise<void> {
  const fixture = await makeFixture(on, rows)
  try {
    await fixture.emptyEvents()
    const { outcome } = await runTask(on, 'flips', { size: rows })
    if (json) return void process.stdout.write(`${JSON.stringify({ v: 1, rows, flips: outcome })}\n`)
    const table = new Table({ head: [`${outcome['flips']} flips under load, ms`, 'p50', 'max'] })
    table.push(
      ['lock held', String(outcome['lockedP50']), String(outcome['lockedMax'])],
      ['longest wait of a writer, per flip', String(outcome['waitP50']), String(outcome['waitMax'])],
      ['a write, all in all (p50, p99)', String(outcome['writeP50']), String(outcome['writeP99'])],
    )
    const { attempts, writes, conflicts, errors, differences } = outcome
    console.log(
      `${table.toString()}\n${attempts} tries · ${writes} writes · ${conflicts} conflicts of the load's own · ${errors} other errors · ${differences} differences`,
    )
  } finally {
    await fixture.close()
  }
}
