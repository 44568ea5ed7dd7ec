import { createLogUpdate } from 'log-update'
import type { GlobalOptions } from '../command.js'
import type { Io } from '../io.js'
import { progressBlock, progressJson, progressLine } from './progress-line.js'
import type { ProgressRecord, Sample } from './progress-record.js'

/** Shows how far a command is, on stderr. */
export interface ProgressView {
  readonly update: (record: ProgressRecord) => void
  /** Takes a live block away. */
  readonly end: () => void
}

/** Between two lines in a log, in ms. */
const LOG_EVERY_MS = 30_000
/** Between two lines of JSON, and two paintings of the block, in ms. */
const SHOW_EVERY_MS = { json: 1_000, terminal: 100 } as const
/** The rate is that of the last so many ms. */
const WINDOW_MS = 20_000

/** A live block on a terminal, a line every 30 s in a log, JSON lines with --json, nothing with --quiet. */
export function progressView(
  command: string,
  options: Pick<GlobalOptions, 'json' | 'quiet'>,
  io: Io,
): ProgressView {
  if (options.quiet) return { update: () => undefined, end: () => undefined }
  if (options.json) {
    const write = (samples: readonly Sample[]) => io.stderr.write(`${progressJson(command, samples)}\n`)
    return { update: sampled(SHOW_EVERY_MS.json, write), end: () => undefined }
  }
  if (io.stderr.isTTY !== true) {
    const write = (samples: readonly Sample[]) =>
      io.stderr.write(`${progressLine(command, samples, timeOfDay())}\n`)
    return { update: sampled(LOG_EVERY_MS, write), end: () => undefined }
  }
  const block = createLogUpdate(io.stderr)
  return {
    update: sampled(SHOW_EVERY_MS.terminal, (samples) => block(progressBlock(samples))),
    end: () => block.clear(),
  }
}

/** Keeps the samples of each table for a while, and shows them not more often than told. */
function sampled(
  everyMs: number,
  show: (samples: readonly Sample[]) => void,
): (record: ProgressRecord) => void {
  const tables = new Map<string, Sample[]>()
  let shownAt = performance.now()
  return (record) => {
    const at = performance.now()
    const samples = (tables.get(record.table) ?? []).filter((sample) => at - sample.at <= WINDOW_MS)
    samples.push({ record, at })
    tables.set(record.table, samples)
    if (at - shownAt < everyMs) return
    shownAt = at
    show(samples)
  }
}

function timeOfDay(): string {
  return `${new Date().toISOString().slice(11, 19)}Z`
}
