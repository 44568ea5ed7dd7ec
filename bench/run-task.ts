import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchServer } from './server.js'
import { serverCpu } from './server-cpu.js'
import type { Outcome, TaskOptions } from './task.js'

const execute = promisify(execFile)
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What one run of a task took. CPU, of server and client together, is null where the system doesn't tell. */
export interface Cost {
  readonly wallMs: number
  readonly cpuMs: number | null
  readonly peakMb: number
  readonly outcome: Outcome
}

/** Compiles the sources and the tasks: what is measured is plain JavaScript under plain node, as it is published. */
export async function buildTasks(): Promise<void> {
  await execute(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json'], {
    cwd: ROOT,
  }).catch((error: { stdout?: string }) => {
    throw new Error(`bench does not compile:\n${error.stdout ?? ''}`, { cause: error })
  })
}

/** Runs a task in a process of its own. */
export async function runTask(
  server: BenchServer,
  name: string,
  options: Partial<TaskOptions> = {},
): Promise<Cost> {
  const before = serverCpu(server.pid)
  const { stdout } = await execute(
    process.execPath,
    ['.bench/bench/task.js', name, server.url, JSON.stringify(options)],
    { cwd: ROOT, maxBuffer: 1 << 26 },
  )
  const after = serverCpu(server.pid)
  const { wall, cpu, peakKb, outcome } = JSON.parse(stdout) as {
    wall: number
    cpu: number
    peakKb: number
    outcome: Outcome
  }
  const known = before !== null && after !== null
  return { wallMs: wall, cpuMs: known ? cpu + after - before : null, peakMb: peakKb / 1024, outcome }
}
