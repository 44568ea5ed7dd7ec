import type { Database } from '../db/index.js'
import { StoppedError, shellWord } from '../errors/index.js'
import { type Findings, findings } from './findings.js'
import { halving } from './halve.js'
import type { VerifiedTable } from './in-snapshot.js'
import { type MismatchScope, resolveUnmet } from './keep-mismatches.js'
import { replayEngine } from './replay-engine.js'
import { runWorkers } from './run-workers.js'
import { sqlEngine } from './sql-engine.js'
import type { StreamCheck } from './stream-check.js'
import { tablePasses } from './table-passes.js'
import type { VerifyRun } from './verify.js'

/** Both passes over all of a table. Mismatches that are not met any more are closed. */
export async function checkFully(database: Database, run: VerifyRun): Promise<Findings> {
  const { source, options } = run
  const found = findingsOf(run)
  const next = tablePasses(
    source,
    streamCheckOf(run),
    options.chunkSize === undefined ? {} : { size: options.chunkSize },
  )
  await runWorkers(database, {
    workers: run.workers,
    signal: options.signal,
    stopped: () => stopped(run),
    step: async (session) => {
      const chunk = await next(session)
      if (chunk === null) return false
      await found.add(session, await chunk.check(session))
      options.onProgress?.({
        table: run.table,
        pass: chunk.pass,
        rows: String(found.rows),
        streams: String(found.streams),
        events: String(found.events),
        differences: String(found.differences),
      })
      return true
    },
  })
  if (found.complete) await database.session((session) => resolveUnmet(session, scopeOf(run)))
  return found
}

/**
 * The engine of a run, for ranges that may hold what can't be read. A range with events that no definition knows is
 * looked at again where one was registered meanwhile.
 */
export function streamCheckOf(run: VerifyRun): StreamCheck {
  const make = run.engine === 'sql' ? sqlEngine : replayEngine
  let prepared: { readonly source: VerifiedTable; readonly check: StreamCheck } | undefined
  const present = () => {
    const { source } = run
    if (prepared?.source !== source) prepared = { source, check: halving(source, make(source)) }
    return prepared
  }
  return async (session, range) => {
    for (;;) {
      const { source, check } = present()
      const checked = await check(session, range)
      if (!checked.found.some(({ kind }) => kind === 'unknown_event')) return checked
      if (!(await run.refresh(session, source))) return checked
    }
  }
}

export function findingsOf(run: VerifyRun): Findings {
  const { engine, table, options } = run
  return findings({
    describe: {
      get source() {
        return run.source
      },
      engine,
      table,
      keysOnly: options.keysOnly ?? false,
    },
    scope: scopeOf(run),
    detailLimit: options.detailLimit ?? 100,
  })
}

function scopeOf({ source: { model }, id }: VerifyRun): MismatchScope {
  return { schema: model.schema, table: model.table, aggregateType: model.name, run: id }
}

export function stopped({ table, id }: VerifyRun): StoppedError {
  return new StoppedError('EW_STOPPED', `verify of ${table} was stopped (run ${id}); what it found is kept`, {
    next: `Run \`eventward verify ${shellWord(table)}\` again: it starts anew, since rows may have changed.`,
    details: { table, run: id },
  })
}
