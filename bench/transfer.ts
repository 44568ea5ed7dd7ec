import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFixture } from './fixture.js'
import { runTask } from './run-task.js'
import type { BenchServer } from './server.js'

/** Exports a table's events, with and without a mask, and imports them onto the emptied table. Prints rates and peaks. */
export async function measureTransfer(
  on: BenchServer,
  { rows, json }: { rows: number; json: boolean },
): Promise<void> {
  const fixture = await makeFixture(on, rows)
  const folder = await mkdtemp(join(tmpdir(), 'eventward-bench-'))
  const file = join(folder, 'events.jsonl')
  try {
    await fixture.emptyEvents()
    await runTask(on, 'backfill', { workers: 2, size: 5_000 })
    await fixture.settle()
    const digest = await fixture.digest()
    const { rows: before } = await fixture.client.query(ROWS)
    const idle = await runTask(on, 'idle')
    const exported = await runTask(on, 'export', { file })
    const masked = await runTask(on, 'export', { file: join(folder, 'masked.jsonl'), mask: true })
    const { size } = await stat(file)
    await fixture.emptyEvents()
    await fixture.client.query('truncate public.subscriptions, eventward.row_shapes, eventward.epochs')
    const imported = await runTask(on, 'import', { file })
    const { rows: after } = await fixture.client.query(ROWS)
    if ((await fixture.digest()) !== digest || JSON.stringify(after) !== JSON.stringify(before))
      throw new Error('the import made other events, or other rows')
    const tasks = { export: exported, masked, import: imported }
    const figures = Object.entries(tasks).map(([name, { outcome, wallMs, cpuMs, peakMb }]) => ({
      name,
      events: Number(outcome['events']),
      perSecond: Math.round((Number(outcome['events']) / wallMs) * 1_000),
      seconds: Math.round(wallMs) / 1_000,
      cpuSeconds: cpuMs === null ? null : Math.round(cpuMs) / 1_000,
      peakMb: Math.round(peakMb),
    }))
    if (json)
      return void process.stdout.write(`${JSON.stringify({ v: 1, rows, bytes: size, transfer: figures })}\n`)
    for (const { name, events, perSecond, seconds, cpuSeconds, peakMb } of figures)
      console.log(
        `${name}: ${events} events in ${seconds} s (cpu ${cpuSeconds} s), ${perSecond} events/s, peak ${peakMb} MB`,
      )
    console.log(
      `file: ${(size / 1e6).toFixed(0)} MB; a process that does nothing: ${idle.peakMb.toFixed(0)} MB`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
    await fixture.close()
  }
}

const ROWS = `select count(*) as n, sum(hashtextextended(format('%s', s), 0)) as rows from public.subscriptions s`
