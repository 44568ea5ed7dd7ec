import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Runs a TypeScript file beside this one in a process of its own and reads the JSON that it prints. */
export async function runTsx<Result>(file: string, ...args: readonly string[]): Promise<Result> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args])
  return JSON.parse(stdout) as Result
}
