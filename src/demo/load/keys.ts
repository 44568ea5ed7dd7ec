import { createHash } from 'node:crypto'

/** Keys that all writers use: on them they meet. */
const SHARED = { first: 20_000, count: 200 } as const

/** The keys and values of one writer, the same in each demo as far as the clock lets them be. */
export class Keys {
  #state: number
  #next: number
  readonly #reserved: ReadonlySet<number>

  constructor(
    private readonly writer: number,
    private readonly writers: number,
    private readonly rows: number,
    reserved: readonly number[],
  ) {
    this.#state = (writer + 1) * 0x9e3779b1
    this.#next = rows + 1 + writer
    this.#reserved = new Set([
      ...reserved,
      ...Array.from({ length: SHARED.count }, (_, n) => SHARED.first + n),
    ])
  }

  /** A key of a row that was there and is no other writer's. */
  own(): number {
    for (;;) {
      const key = 1 + this.#below(Math.floor(this.rows / this.writers) - 1) * this.writers + this.writer
      if (!this.#reserved.has(key)) return key
    }
  }

  /** One that all share. */
  shared(): number {
    return SHARED.first + this.#below(SHARED.count)
  }

  any(): number {
    return this.chance(0.4) ? this.shared() : this.own()
  }

  /** One that nobody had yet. */
  fresh(): number {
    this.#next += this.writers
    return this.#next
  }

  /** What a creation takes: key, user, reward, payment source. */
  newRow(): readonly [number, number, number, string] {
    return [this.fresh(), 1 + this.#below(20_000), 1 + this.#below(400), this.token('pm')]
  }

  token(kind: string): string {
    return `${kind}_${createHash('md5')
      .update(String(this.#below(2 ** 31)))
      .digest('hex')
      .slice(0, 12)}`
  }

  chance(share: number): boolean {
    return this.#below(1_000_000) < share * 1_000_000
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.#below(from.length)]
  }

  /** How long to think before the next piece of work, in ms. */
  pause(): number {
    return this.#below(9)
  }

  /** Mulberry32. */
  #below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound)
  }
}
