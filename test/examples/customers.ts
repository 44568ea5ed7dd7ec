import type { Shop } from './http-tests.js'

/** What customers did, by what they were answered. */
export interface Ledger {
  readonly requests: number
  /** Answers that nobody should have got, and requests that nobody answered. */
  readonly failed: readonly string[]
  /** What each subscription must be now, by id. */
  readonly subscriptions: ReadonlyMap<string, { readonly status: string; readonly stripe_key: string | null }>
}

export interface Customers {
  /** Resolves once each of them has asked and been answered again: what was begun before is over. */
  answered(): Promise<void>
  stop(): Promise<Ledger>
}

/** Four that never think keep two cores busy, and the move waiting. */
const THINKS_MS = 20

/** Customers who subscribe, pay and leave, one request after another, all at the same reward. */
export function startCustomers(shops: readonly Shop[], reward: string): Customers {
  const subscriptions = new Map<string, { status: string; stripe_key: string | null }>()
  const failed: string[] = []
  const asked = shops.map(() => 0)
  let stopped = false

  const live = async (shop: Shop, index: number) => {
    const ask = async (status: number, method: string, path: string, body: object) => {
      const answer = await shop.ask(method, path, body).catch((error: Error) => ({
        status: 0,
        body: { error: `${error.message} ${String(error.cause)}` } as Readonly<Record<string, unknown>>,
      }))
      asked[index] = (asked[index] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, THINKS_MS))
      if (answer.status === status) return answer.body
      failed.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return null
    }
    for (let turn = 0; !stopped; turn += 1) {
      const made = await ask(201, 'POST', '/subscriptions', { user_id: index + 1, reward_id: Number(reward) })
      if (made === null) continue
      const id = String(made['id'])
      const state = { status: 'unpaid', stripe_key: null as string | null }
      subscriptions.set(id, state)
      if (turn % 5 === 0) await ask(200, 'PATCH', `/rewards/${reward}`, { price: turn + 1.25 })
      if (turn % 3 === 0) continue
      const stripe_key = `sub_${index}_${turn}`
      if ((await ask(200, 'POST', `/subscriptions/${id}/activate`, { stripe_key })) === null) continue
      Object.assign(state, { status: 'active', stripe_key })
      if (turn % 3 === 1) continue
      const ended = await ask(200, 'POST', `/subscriptions/${id}/deactivate`, { reason: `turn ${turn}` })
      if (ended !== null) Object.assign(state, { status: 'inactive' })
    }
  }
  const lives = shops.map(live)

  return {
    async answered() {
      // The request under way may have begun before, the one after it has not.
      const goals = asked.map((count) => count + 2)
      while (goals.some((goal, index) => (asked[index] ?? 0) < goal)) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async stop() {
      stopped = true
      await Promise.all(lives)
      return { requests: asked.reduce((sum, count) => sum + count, 0), failed, subscriptions }
    },
  }
}
