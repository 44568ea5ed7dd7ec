import { type LoadedConfig, loadConfig } from '../../config/index.js'
import type { Database } from '../../db/index.js'
import type { AggregateDefinition } from '../../definition/index.js'
import { GateError } from '../../errors/index.js'
import { selectAggregates } from '../../inspect/index.js'
import type { CapturedBetween } from '../compare-stream.js'
import type { DemoStep } from '../demo-step.js'
import type { Texts } from '../ledger.js'
import type { LegacyDatabase } from '../legacy-database.js'
import type { Load } from '../load/start-load.js'

/** A step to be done. */
export interface Planned extends Pick<DemoStep, 'name' | 'command' | 'says'> {
  readonly work: () => Promise<Pick<DemoStep, 'found' | 'problems'>>
}

export interface DemoContext extends LegacyDatabase {
  /** As the application's role. */
  readonly database: Database
  /** The project's folder. */
  readonly folder: string
  readonly version: string
  readonly load: Load
  /** The rows before anyone wrote. */
  readonly before: ReadonlyMap<string, Texts>
  /** When capture went on; set by its step. */
  captured: CapturedBetween | null
  readonly signal?: AbortSignal
}

export const TABLE = 'subscriptions'

/** The configuration that `init` wrote, and the definition in it. */
export async function configOf({
  folder,
}: DemoContext): Promise<{ readonly config: LoadedConfig; readonly definition: AggregateDefinition }> {
  const config = await loadConfig(undefined, folder)
  const [definition] = selectAggregates(config, [TABLE])
  if (definition !== undefined) return { config, definition }
  throw new GateError('EW_DEMO_UNEXPECTED', `init wrote no aggregate for ${TABLE}`, { next: 'Report it.' })
}
