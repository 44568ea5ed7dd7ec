import type { Database, Session } from '../db/index.js'
import { compileVerifyDetail, type StreamRange } from '../sql/index.js'
import { findingsOf, stopped, streamCheckOf } from './check-fully.js'
import { dataError } from './data-error.js'
import type { Findings } from './findings.js'
import { inSnapshot } from './in-snapshot.js'
import { type OpenMismatch, openMismatches, resolveMismatches } from './keep-mismatches.js'
import { runWorkers } from './run-workers.js'
import type { Checked } from './stream-check.js'
import type { VerifyRun } from './verify.js'

/** Held at a time. */
const PAGE = 500

/** Looks again at the open mismatches: those that are gone are closed, the others are described anew. */
export async function checkOpen(database: Database, run: VerifyRun): Promise<Findings> {
  const found = findingsOf(run)
  const checkStreams = streamCheckOf(run)
  const next = openCursor(run)
  const looked = new Set<string>()

  const look = async (session: Session, { id, key, kind }: OpenMismatch) => {
    const checked = await checkKey(session, run, (range) => checkStreams(session, range), key)
    if (!checked.found.some((now) => now.kind === kind)) await resolveMismatches(session, [id])
    // Two mismatches of one key are one difference.
    if (looked.has(key)) return
    looked.add(key)
    await found.add(session, checked)
  }

  await runWorkers(database, {
    workers: 1,
    signal: run.options.signal,
    stopped: () => stopped(run),
    step: async (session) => {
      const page = await next(session)
      for (const mismatch of page) await look(session, mismatch)
      return page.length > 0
    },
  })
  return found
}

function openCursor({ source }: VerifyRun): (session: Session) => Promise<readonly OpenMismatch[]> {
  let after = '0'
  return async (session) => {
    const page = await openMismatches(session, source.model.name, { after, limit: PAGE })
    after = page.at(-1)?.id ?? after
    return page
  }
}

/** One stream and its row, whichever of them is there. */
async function checkKey(
  session: Session,
  { source }: VerifyRun,
  checkStreams: (range: StreamRange) => Promise<Checked>,
  key: string,
): Promise<Checked> {
  const checked = await checkStreams({ only: key })
  const row = await rowOf(session, source, key)
  if (checked.streams > 0) return { ...checked, rows: row === 'none' ? 0 : 1 }
  const found: Checked['found'] = row === 'alone' ? [{ key, kind: 'missing_stream' }] : []
  return { rows: found.length, streams: 0, events: 0, found }
}

/** `alone`: there is a row, and no event of it. */
async function rowOf(
  session: Session,
  source: VerifyRun['source'],
  key: string,
): Promise<'none' | 'alone' | 'with events'> {
  try {
    const { present, stream } = await inSnapshot(session, source, () =>
      session.one<{ present: string | null; stream: string | null }>(compileVerifyDetail(source, key)),
    )
    if (present === null) return 'none'
    return stream === null ? 'alone' : 'with events'
  } catch (error) {
    // An id that is none of the key is no row's.
    if (dataError(error, source.model.columns) === undefined) throw error
    return 'none'
  }
}
