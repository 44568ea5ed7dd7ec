import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from '../../db/index.js'
import { Ledger } from '../ledger.js'
import type { Keys } from './keys.js'
import type { Latencies, Seen, Told } from './messages.js'
import type { Work } from './plain-work.js'

/** Errors kept in words. */
const KEPT = 5

/** One of the application's writers: does its work, one piece after the other, and keeps the ledger. */
export class Writer {
  readonly #ledger = new Ledger()
  readonly #errors: string[] = []
  #errorCount = 0
  #commands = 0
  #plain: number[] = []
  #called: number[] = []
  #running: Promise<void> | null = null
  #paused = true

  /** @param work how often each kind is done, and what it is. */
  constructor(
    private readonly name: string,
    private readonly keys: Keys,
    private work: readonly (readonly [kind: string, Work])[],
  ) {}

  run(): void {
    this.#paused = false
    this.#running ??= this.#loop().finally(() => {
      this.#running = null
    })
  }

  /** Resolves once its transaction has ended. */
  async pause(): Promise<void> {
    this.#paused = true
    await this.#running
  }

  /** From its next piece of work on it does these. */
  change(work: readonly (readonly [kind: string, Work])[]): void {
    this.work = work
  }

  /** Latencies since the last call, in ms. */
  look(): { readonly plain: readonly number[]; readonly commands: readonly number[] } {
    const seen = { plain: this.#plain, commands: this.#called }
    this.#plain = []
    this.#called = []
    return seen
  }

  tell(): Told {
    const { attempted, committed, rolledBack, refused, writes } = this.#ledger
    const expected = refused.get(DUPLICATE) ?? 0
    return {
      attempted,
      committed,
      rolledBack,
      refused: expected,
      commands: this.#commands,
      errors: this.#errorCount,
      errorTexts: this.#errors,
      writes,
    }
  }

  async #loop(): Promise<void> {
    while (!this.#paused) {
      const [kind, work] = this.keys.pick(this.work) ?? []
      if (work !== undefined && kind !== undefined) await this.#do(kind, work)
      await sleep(this.keys.pause())
    }
  }

  async #do(kind: string, work: Work): Promise<void> {
    const began = performance.now()
    try {
      const { writes, end } = await work()
      this.#ledger.settle(writes, { kind: end })
      if (isCommand(kind)) this.#commands += 1
      if (kind === 'duplicate') this.#note(kind, 'a key that is there was not refused')
    } catch (error) {
      const sqlstate = sqlstateOf(error) ?? 'none'
      const expected =
        kind === 'duplicate' && sqlstate === DUPLICATE && /"subscriptions_pkey"/.test(String(error))
      // What it doesn't expect is no refusal but an error.
      this.#ledger.settle([], { kind: 'refused', sqlstate: expected ? DUPLICATE : 'unexpected' })
      if (!expected) this.#note(kind, `${sqlstate} ${String(error)}`)
    }
    const latencies = isCommand(kind) ? this.#called : this.#plain
    latencies.push(performance.now() - began)
  }

  #note(kind: string, text: string): void {
    this.#errorCount += 1
    if (this.#errors.length < KEPT) this.#errors.push(`${this.name}, ${kind}: ${text}`)
  }
}

const DUPLICATE = '23505'

function isCommand(kind: string): boolean {
  return kind.startsWith('command')
}

/** What several writers saw. */
export function seenBy(writers: readonly ReturnType<Writer['look']>[]): Seen {
  return {
    plain: latenciesOf(writers.flatMap(({ plain }) => plain)),
    commands: latenciesOf(writers.flatMap(({ commands }) => commands)),
  }
}

function latenciesOf(all: readonly number[]): Latencies {
  const sorted = [...all].sort((a, b) => a - b)
  return {
    transactions: sorted.length,
    p50Ms: rounded(sorted[sorted.length >> 1] ?? 0),
    maxMs: rounded(sorted.at(-1) ?? 0),
  }
}

/** All that they tell, in one. */
export function toldBy(all: readonly Told[]): Told {
  const sum = (count: (told: Told) => number) => all.reduce((total, told) => total + count(told), 0)
  return {
    attempted: sum(({ attempted }) => attempted),
    committed: sum(({ committed }) => committed),
    rolledBack: sum(({ rolledBack }) => rolledBack),
    refused: sum(({ refused }) => refused),
    commands: sum(({ commands }) => commands),
    errors: sum(({ errors }) => errors),
    errorTexts: all.flatMap(({ errorTexts }) => errorTexts),
    writes: all.flatMap(({ writes }) => writes),
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
