import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Ledger, Texts, Write } from '../../src/demo/ledger.js'
import { streamId } from '../../src/encode/index.js'
import { keyIn, type LoadTable } from './load-table.js'
import type { Random } from './random.js'
import { refusalOf } from './refusal.js'
import { randomStatement, type Statement } from './statement.js'

/** Told of what happens, for whoever counts. */
export interface Watch {
  readonly statement: (ms: number) => void
  readonly refused: (error: unknown) => void
  readonly done: () => void
}

/** More keys than this are not remembered per table: some of the old ones are forgotten. */
const KEYS = 3_000

/** One connection of an application that does whatever comes to its mind, and keeps its ledger. */
export class Writer {
  constructor(
    private readonly client: pg.Client,
    private readonly tables: readonly LoadTable[],
    private readonly ledger: Ledger,
    private readonly random: Random,
    private readonly watch: Watch,
  ) {}

  /** Transactions, one after the other, until told. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      if (this.random.chance(0.3)) await this.#alone()
      else await this.#transaction()
      this.watch.done()
      // An application thinks now and then; what is tested beside it wants a processor as well.
      await sleep(this.random.below(4))
    }
  }

  /** A statement that is its own transaction. */
  async #alone(): Promise<void> {
    try {
      this.#settle(await this.#run(randomStatement(this.random, this.tables)))
    } catch (error) {
      this.#refuse(error)
    }
  }

  async #transaction(): Promise<void> {
    const { random, client } = this
    const isolation = random.chance(0.3) ? 'repeatable read' : 'read committed'
    await client.query(`begin isolation level ${isolation}`)
    const writes: Write[] = []
    try {
      for (let left = 1 + random.below(4); left > 0; left -= 1) {
        const statement = randomStatement(random, this.tables)
        if (random.chance(0.25)) writes.push(...(await this.#behindSavepoint(statement)))
        else writes.push(...(await this.#run(statement)))
      }
      if (random.chance(0.15)) {
        await client.query('rollback')
        this.ledger.settle(writes, { kind: 'rolled back' })
      } else {
        const { command } = await client.query('commit')
        if (command !== 'COMMIT') throw new Error(`commit ended in ${command}`)
        this.#settle(writes)
      }
    } catch (error) {
      this.#refuse(error)
      await client.query('rollback')
    }
  }

  /** Undone half of the time, and after an error, with which the transaction goes on. */
  async #behindSavepoint(statement: Statement): Promise<readonly Write[]> {
    await this.client.query('savepoint s')
    try {
      const writes = await this.#run(statement)
      if (this.random.chance(0.5)) {
        await this.client.query('release savepoint s')
        return writes
      }
    } catch (error) {
      this.watch.refused(error)
      this.ledger.refuse(refusalOf(error).sqlstate)
    }
    await this.client.query('rollback to savepoint s')
    return []
  }

  async #run(statement: Statement): Promise<readonly Write[]> {
    const began = performance.now()
    try {
      const { rows } = await this.client.query<Texts>({
        text: statement.text,
        values: [...statement.values],
      })
      return rows.flatMap((row) => writesOf(statement, row))
    } finally {
      this.watch.statement(performance.now() - began)
    }
  }

  #settle(writes: readonly Write[]): void {
    this.ledger.settle(writes, { kind: 'committed' })
    for (const { table, row } of writes) {
      const written = this.tables.find(({ name }) => name === table)
      if (row !== null && written !== undefined) remember(written, row, this.random)
    }
  }

  #refuse(error: unknown): void {
    this.watch.refused(error)
    this.ledger.settle([], { kind: 'refused', sqlstate: refusalOf(error).sqlstate })
  }
}

function writesOf({ kind, table, oldKey }: Statement, returned: Texts): readonly Write[] {
  const { '~ticket': ticket, '~xid': xid, ...row } = returned
  const key = keyIn(table, row)
  const common = { table: table.name, ticket: BigInt(ticket ?? 0), xid: xid ?? '' }
  if (kind === 'delete') return [{ ...common, key, row: null }]
  const before = oldKey === undefined ? key : streamId(oldKey)
  return [...(before === key ? [] : [{ ...common, key: before, row: null }]), { ...common, key, row }]
}

function remember({ key, keys }: LoadTable, row: Texts, random: Random): void {
  const texts = key.map(({ name }) => row[name]!)
  if (keys.length < KEYS) keys.push(texts)
  else keys[random.below(KEYS)] = texts
}
