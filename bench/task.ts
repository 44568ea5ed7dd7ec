/**
 * One measured piece of work in a process of its own: `node task.js NAME URL OPTIONS(JSON)`. Prints one JSON line: wall
 * and CPU of the work alone (ms), and the peak memory of the whole process (KB), loading of modules included.
 */
import { readFileSync } from 'node:fs'
import { backfill } from './tasks/backfill.js'
import { capture } from './tasks/capture.js'
import { commands } from './tasks/commands.js'
import { flips } from './tasks/flips.js'
import { knexBatches } from './tasks/knex-batches.js'
import { replay } from './tasks/replay.js'
import { statement } from './tasks/statement.js'
import { exportFile, importFile } from './tasks/transfer.js'
import { verify } from './tasks/verify.js'

/** What a task reports beside its costs. */
export type Outcome = Readonly<Record<string, number | string>>

export interface TaskOptions {
  readonly workers: number
  readonly engine: 'sql' | 'replay'
  /** Rows of a chunk, or events of a range. */
  readonly size: number
  readonly statement: string
  /** The first number that a repeated statement gets. */
  readonly from: number
  readonly file: string
  /** Whether columns are masked. */
  readonly mask: boolean
  /** The postmaster's process. */
  readonly pid: number
}

const TASKS: Readonly<Record<string, (url: string, options: TaskOptions) => Promise<Outcome>>> = {
  backfill,
  capture,
  commands,
  verify,
  statement,
  flips,
  replay,
  knex: knexBatches,
  export: exportFile,
  import: importFile,
  idle: async () => ({}),
}

const [, , name = '', url = '', options = '{}'] = process.argv
const task = TASKS[name]
if (task === undefined) throw new RangeError(`no task ${name}`)
const cpuBefore = process.cpuUsage()
const started = performance.now()
const outcome = await task(url, JSON.parse(options) as TaskOptions)
const wall = performance.now() - started
const { user, system } = process.cpuUsage(cpuBefore)
process.stdout.write(`${JSON.stringify({ wall, cpu: (user + system) / 1_000, peakKb: peakKb(), outcome })}\n`)

/** The kernel's own mark: `maxRSS` of a child may be that of the process it was forked from. */
function peakKb(): number {
  try {
    const mark = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (mark?.[1] !== undefined) return Number(mark[1])
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS
}
