import { makeFixture } from './fixture.js'
import { runTask } from './run-task.js'
import type { BenchServer } from './server.js'

/** Rebuilds a projection under live commands, in a process of its own, and prints what that took and cost others. */
export async function measureReplay(
  on: BenchServer,
  { rows, json }: { rows: number; json: boolean },
): Promise<void> {
  const fixture = await makeFixture(on, rows)
  try {
    await fixture.emptyEvents()
    const { outcome: o, peakMb } = await runTask(on, 'replay', { size: rows })
    if (json) return void process.stdout.write(`${JSON.stringify({ v: 1, rows, peakMb, replay: o })}\n`)
    console.log(
      [
        `built: ${o['firstEvents']} events, ${o['firstPerSecond']} events/s`,
        `built anew under load: ${o['events']} events in ${o['seconds']} s, ${o['perSecond']} events/s, peak ${peakMb.toFixed(0)} MB`,
        `flip: ${o['lastEvents']} last events, lock held ${o['lockedMs']} ms (an async projection's keeps no command waiting)`,
        `commands: ${o['commands']}, ${o['failedCommands']} failed, longest ${o['commandMax']} ms`,
        `reads of the old one, then of the new: ${o['reads']}, ${o['failedReads']} failed, longest ${o['readMax']} ms`,
        `old and new: ${o['parityOnlyOld']} and ${o['parityOnlyNew']} rows of their own; the view and the log: ${o['differences']} differences`,
      ].join('\n'),
    )
  } finally {
    await fixture.close()
  }
}
