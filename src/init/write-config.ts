import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InferredTables } from './infer-definitions.js'
import { renderConfig } from './render-config.js'
import { renderTables } from './render-tables.js'

/** A file that was, or would be, written. */
export interface WrittenFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
  /** `same`: it stands there already; `kept`: another text stands there and was not overwritten. */
  readonly outcome: 'written' | 'same' | 'kept'
}

export interface WriteOptions {
  readonly cwd: string
  readonly schemas?: readonly string[]
  /** Overwrite files that hold something else. @default false */
  readonly overwrite?: boolean
  /** Where events are to be kept; null for `public.events`. @default null */
  readonly events?: { readonly schema: string; readonly table: string } | null
}

/**
 * Writes `eventward.config.ts` and `eventward.tables.ts`. Unless `overwrite` is set, a file that holds something else
 * is kept, and then neither is written: one without the other may not compile.
 */
export async function writeConfig(
  inferred: InferredTables,
  { cwd, schemas, overwrite = false, events = null }: WriteOptions,
): Promise<readonly WrittenFile[]> {
  const files = [
    { path: join(cwd, 'eventward.config.ts'), text: renderConfig(inferred, schemas, events) },
    { path: join(cwd, 'eventward.tables.ts'), text: renderTables(inferred.supported) },
  ]
  return writeAll(files, overwrite)
}

/** Writes a generated `eventward.tables.ts`; it is nobody's to edit, and always overwritten. */
export async function writeGenerated(path: string, text: string): Promise<WrittenFile> {
  const [file = { path, text, outcome: 'same' } as const] = await writeAll([{ path, text }], true)
  return file
}

async function writeAll(
  files: readonly Omit<WrittenFile, 'outcome'>[],
  overwrite: boolean,
): Promise<readonly WrittenFile[]> {
  const outcomes = files.map(({ path, text }) => {
    if (!existsSync(path)) return 'written' as const
    if (readFileSync(path, 'utf8') === text) return 'same' as const
    return overwrite ? ('written' as const) : ('kept' as const)
  })
  const kept = outcomes.includes('kept')
  const results: WrittenFile[] = []
  for (const [index, file] of files.entries()) {
    const outcome = kept && outcomes[index] === 'written' ? 'kept' : (outcomes[index] ?? 'same')
    if (outcome === 'written') await writeWhole(file.path, file.text)
    results.push({ ...file, outcome })
  }
  return results
}

/** By a rename: a reader, or a crash, never meets half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`
  await writeFile(draft, text)
  await rename(draft, path)
}
