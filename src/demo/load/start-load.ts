import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { GateError } from '../../errors/index.js'
import {
  LOAD_VARIABLE,
  type LoadAnswer,
  type LoadRequest,
  type LoadStart,
  type Seen,
  type Told,
} from './messages.js'

/** The four writers, in a process of their own. */
export interface Load {
  readonly run: () => Promise<void>
  /** Lets each of them end its transaction; nothing is written until `run`. */
  readonly pause: () => Promise<void>
  /** What they saw since the last call. */
  readonly look: () => Promise<Seen>
  /** Two of them use commands from now on, of the definition in the project's folder. */
  readonly useCommands: (folder: string) => Promise<void>
  readonly ledger: () => Promise<Told>
  /** Ends it, whatever state it's in. */
  readonly end: () => Promise<void>
}

/** Starts them, paused. */
export function startLoad(options: LoadStart): Load {
  // As this is run: built, or from the sources by a loader, which a forked process inherits.
  const file = import.meta.url.endsWith('.ts') ? './load-process.ts' : './load-process.js'
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    // Not as an argument: everyone may read those, and there's a password in it.
    env: { ...process.env, [LOAD_VARIABLE]: JSON.stringify(options) },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const lastWords: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => lastWords.push(chunk.toString()))
  const waiting: {
    readonly resolve: (answer: LoadAnswer) => void
    readonly reject: (why: unknown) => void
  }[] = []
  let ended: unknown = null
  const fail = (cause: unknown) => {
    ended ??= cause
    for (const { reject } of waiting.splice(0)) reject(cause)
  }
  child.on('message', (answer: LoadAnswer) => waiting.shift()?.resolve(answer))
  child.on('error', (cause) => fail(loadError(String(cause), cause)))
  const gone = new Promise<void>((resolve) => {
    child.on('close', () => {
      fail(loadError(`their process ended: ${lastWords.join('').trim() || 'it said nothing'}`))
      resolve()
    })
  })

  const ask = async (request: LoadRequest): Promise<LoadAnswer> => {
    if (ended !== null) throw ended
    const answer = await new Promise<LoadAnswer>((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.send(request)
    })
    if (answer !== null && 'failed' in answer) throw loadError(answer.failed)
    return answer
  }
  const tell = async (request: LoadRequest) => {
    await ask(request)
  }
  return {
    run: () => tell({ ask: 'run' }),
    pause: () => tell({ ask: 'pause' }),
    look: async () => {
      const answer = await ask({ ask: 'look' })
      if (answer !== null && 'seen' in answer) return answer.seen
      throw loadError('they did not tell what they saw')
    },
    useCommands: (folder) => tell({ ask: 'commands', folder }),
    ledger: async () => {
      const answer = await ask({ ask: 'ledger' })
      if (answer !== null && 'told' in answer) return answer.told
      throw loadError('they did not tell their ledger')
    },
    end: async () => {
      await tell({ ask: 'end' }).catch(() => undefined)
      child.kill('SIGKILL')
      await gone
    },
  }
}

function loadError(what: string, cause?: unknown): GateError {
  return new GateError('EW_DEMO_LOAD', `the writers of the demo: ${what}`, {
    next: 'Report it, with the output of `eventward demo --json --verbose`.',
    ...(cause === undefined ? {} : { cause }),
  })
}
