import type { LoadedConfig } from '../config/index.js'
import type { Database, Session } from '../db/index.js'
import { type BoundModel, type Text, tableName } from '../definition/index.js'
import { members } from '../encode/index.js'
import { compileExplain } from '../sql/index.js'
import { codeBecause } from '../verify/index.js'
import { bindStored } from './bind-stored.js'
import { selectAggregates } from './select-aggregates.js'

/** Rows that leave the same columns unexplained. */
export interface Pattern {
  /** A column, and its text where it is one that some event sets to a constant: `{ column: 'status', is: 'paused' }`. */
  readonly columns: readonly { readonly column: string; readonly is?: Text }[]
  readonly rows: string
}

export interface Explained {
  readonly table: string
  readonly aggregate: string
  /** Rows looked at. */
  readonly rows: string
  /** Of those, rows that need no `Changed`. */
  readonly explained: string
  /** `explained / rows`; null for an empty table. */
  readonly share: number | null
  /** True where a sample was looked at. */
  readonly sample: boolean
  /** Most frequent first, at most `limit`. */
  readonly patterns: readonly Pattern[]
  /** Rows of patterns beyond the limit. */
  readonly otherRows: string
  /** Why only replay can prove it: `code says what Credited does`. Such events explain no write. */
  readonly provenByReplay?: string
}

export interface ExplainOptions {
  readonly table: string
  /** Look at every row, however many. @default false */
  readonly full?: boolean
  /** Patterns at most. @default 20 */
  readonly limit?: number
}

/** Above so many rows a sample is taken, of about as many rows. */
const SAMPLE_ROWS = 1_000_000

/**
 * Says how well a definition explains its table: what share of rows needs no `Changed`, and which values no event
 * explains. Reads the table once (a sample above a million rows), in a READ ONLY transaction; ACCESS SHARE.
 */
export function explain(
  database: Database,
  config: LoadedConfig,
  options: ExplainOptions,
): Promise<Explained> {
  const [definition] = selectAggregates(config, [options.table])
  return database.session((session) =>
    session.transaction({ readOnly: true }, async () => {
      const { model, table } = await bindStored(session, definition!)
      const estimate = Number(table.rowEstimate ?? 0)
      const samplePercent =
        options.full === true || estimate <= SAMPLE_ROWS ? null : ((SAMPLE_ROWS * 100) / estimate).toFixed(4)
      return explainTable(session, model, { samplePercent, limit: options.limit ?? 20 })
    }),
  )
}

async function explainTable(
  session: Session,
  model: BoundModel,
  { samplePercent, limit }: { readonly samplePercent: string | null; readonly limit: number },
): Promise<Explained> {
  // All groups are counted on the server; so many are fetched that what is left out can be counted as well.
  const groups = await session.rows<{ pattern: string | null; rows: string }>(
    compileExplain({ model, samplePercent, limit: MOST_GROUPS }),
  )
  const explained = sum(groups.filter(({ pattern }) => pattern === null))
  const patterns = groups.flatMap(({ pattern, rows }) =>
    pattern === null ? [] : [{ columns: columnsOf(pattern), rows }],
  )
  const rows = sum(groups)
  const because = codeBecause(model)
  return {
    table: tableName({ schema: model.schema, name: model.table }),
    aggregate: model.name,
    rows: rows.toString(),
    explained: explained.toString(),
    share: rows === 0n ? null : Number((explained * 1_000_000n) / rows) / 1_000_000,
    sample: samplePercent !== null,
    patterns: patterns.slice(0, limit),
    otherRows: sum(patterns.slice(limit)).toString(),
    ...(because === null ? {} : { provenByReplay: because }),
  }
}

/** Patterns are few (columns that some event sets to a constant, times their values), or the definition is hopeless. */
const MOST_GROUPS = 10_000

function sum(groups: readonly { readonly rows: string }[]): bigint {
  return groups.reduce((total, { rows }) => total + BigInt(rows), 0n)
}

/** `{"status": {"is": "paused"}, "note": {}}` */
function columnsOf(pattern: string): Pattern['columns'] {
  return [...members(pattern)].map(([column, raw]) => {
    const is = members(raw).get('is')
    return is === undefined ? { column } : { column, is: JSON.parse(is) as Text }
  })
}
