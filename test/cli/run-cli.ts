import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Document } from '../../cli/document.js'
import { run } from '../../cli/run.js'

export interface CliResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** stdout as the one document that it must be with --json. */
  readonly document: () => Document & { readonly error?: { readonly code: string; readonly next: string } }
}

/** Runs the command line in this process, with its output caught; never asks a question. */
export async function cli(
  argv: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<CliResult> {
  const out = sink()
  const err = sink()
  const status = await run(argv, { stdout: out.stream, stderr: err.stream, interactive: false, env, cwd })
  return {
    status,
    stdout: out.text(),
    stderr: err.text(),
    document: () => JSON.parse(out.text()) as Document & { error?: { code: string; next: string } },
  }
}

/** A folder with some files, gone after the test. */
export async function project(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eventward-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

function sink() {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}
