import type { Session } from '../db/index.js'
import { compileMiddleStream, type StreamRange } from '../sql/index.js'
import { dataError } from './data-error.js'
import type { VerifiedTable } from './in-snapshot.js'
import type { Checked, StreamCheck } from './stream-check.js'

/**
 * Wraps an engine: a range that raises a data error is halved until one stream is left, which is reported as unreadable
 * in the server's words. Everything else in the range is checked all the same.
 */
export function halving(source: VerifiedTable, check: StreamCheck): StreamCheck {
  const checked: StreamCheck = async (session, range) => {
    try {
      return await check(session, range)
    } catch (error) {
      const message = dataError(error, source.model.columns)
      if (message === undefined) throw error
      return await halve(session, range, message)
    }
  }

  async function halve(session: Session, range: StreamRange, message: string): Promise<Checked> {
    const { streams, events, middle } = await session.one<Record<'streams' | 'events' | 'middle', string>>(
      compileMiddleStream(source, range),
    )
    if (!('only' in range) && Number(streams) > 1) {
      const left = await checked(session, { after: range.after, upTo: middle })
      const right = await checked(session, { after: middle, upTo: range.upTo })
      return sum(left, right)
    }
    return {
      rows: 0,
      streams: Number(streams),
      events: Number(events),
      found: Number(streams) === 0 ? [] : [{ key: middle, kind: 'unreadable', message }],
    }
  }

  return checked
}

function sum(a: Checked, b: Checked): Checked {
  return {
    rows: a.rows + b.rows,
    streams: a.streams + b.streams,
    events: a.events + b.events,
    found: [...a.found, ...b.found],
  }
}
