import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { builtScript } from './built.js'

/** Runs a TypeScript file beside this one in a process of its own, built, and reads the JSON that it prints. */
export async function runScript<Result>(file: string, ...args: readonly string[]): Promise<Result> {
  return run([builtScript(file, import.meta.url), ...args])
}

/** The same, where it is to load TypeScript by itself. */
export async function runTsx<Result>(file: string, ...args: readonly string[]): Promise<Result> {
  return run(['--import', 'tsx', builtScript(file, import.meta.url), ...args])
}

async function run<Result>(args: readonly string[]): Promise<Result> {
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Result
}
