import type { CaptureOptions } from '../capture/index.js'
import type { Text } from '../definition/index.js'
import type { RowMove } from '../store/index.js'

export interface AdoptOptions extends CaptureOptions {
  /**
   * What rows that were there already held in an added column, by its name: asked for where the catalog can't tell.
   * null for NULL.
   */
  readonly defaults?: Readonly<Record<string, Text>>
  /** Says what would be adopted, and changes nothing. @default false */
  readonly dryRun?: boolean
}

/** A column that moved, and what was made of it. */
export interface AdoptedColumn {
  readonly kind: RowMove['kind']
  readonly column: string
  readonly before: string | null
  /** The new name or type; of an added column what rows had which were there before, null for NULL. */
  readonly after: Text
}

export interface AdoptResult {
  /** As the command line names it. */
  readonly table: string
  /** Empty where the columns are those that events speak of, or that was adopted before. */
  readonly columns: readonly AdoptedColumn[]
  /** `replaced`: the triggers' functions are those of the present columns now; `none`: they were. */
  readonly capture: 'off' | 'replaced' | 'none'
  /** How long the table's lock was held, in ms; null where none was needed. */
  readonly lockedMs: number | null
  /** The receipt; null where there was nothing to do, or with `dryRun`. */
  readonly run: string | null
  readonly dryRun: boolean
  /** What to know. */
  readonly notices: readonly string[]
  readonly next: string
}
