import type { Database } from '../db/index.js'
import { StoppedError, shellWord } from '../errors/index.js'
import { type Findings, findings } from './findings.js'
import { halving } from './halve.js'
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

/** The engine of a run, for ranges that may hold what can't be read. */
export function streamCheckOf({ source, engine }: VerifyRun): StreamCheck {
  const make = engine === 'sql' ? sqlEngine : replayEngine
  return halving(source, make(source))
}

export function findingsOf(run: VerifyRun): Findings {
  const { source, engine, table, options } = run
  return findings({
    describe: { source, engine, table, keysOnly: options.keysOnly ?? false },
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
