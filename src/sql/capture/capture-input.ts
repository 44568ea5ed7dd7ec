import type { BoundModel } from '../../definition/index.js'
import type { TypedKey } from '../key-range.js'
import type { CaptureNames } from './capture-names.js'

export interface CaptureInput {
  readonly model: BoundModel
  readonly names: CaptureNames
  /** The partition of the events table that holds this aggregate's events. */
  readonly partition: { readonly schema: string; readonly table: string }
  readonly key: TypedKey
  /** OID of the table, and how many columns it has ever had (`pg_class.relnatts`). */
  readonly relid: string
  /** Rows of a partitioned table can leave one partition for another. */
  readonly partitioned: boolean
  readonly natts: number
  /** What every event's metadata says beside who wrote it. */
  readonly definition: string
  readonly shape: string
  readonly writer: string
}
