import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** An application in a process of its own, as it is deployed. */
export interface AppProcess {
  readonly base: string
  /** What it wrote to stderr. */
  readonly errors: () => string
  /** Ends it as a deployment does: SIGTERM, and it answers what is under way. Gives its exit status. */
  stop(): Promise<number | null>
}

/** Starts `examples/<serve> <form>` on a database, at a free port. At the end of the test it's gone in any case. */
export async function startApp(url: string, serve: string, form = ''): Promise<AppProcess> {
  const path = fileURLToPath(new URL(`../../examples/${serve}`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, form], {
    env: { ...process.env, DATABASE_URL: url, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const errors: string[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const base = await Promise.race([firstLine(child), ended.then(() => null)])
  if (base === null) throw new Error(`${serve} ${form} did not start:\n${errors.join('')}`)
  return {
    base,
    errors: () => errors.join(''),
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return line.toString().trim()
}
