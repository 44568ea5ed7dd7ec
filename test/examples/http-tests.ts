/** What the shop answers, whoever wrote it: run against each form of the application, in each phase of the move. */
import { expect } from 'vitest'

/** A user at the shop. */
export interface Shop {
  ask(method: string, path: string, body?: unknown): Promise<Answer>
}
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** @param base asked anew for each request: deployments move it. */
export function shopAt(base: () => string, user: string): Shop {
  let requests = 0
  return {
    async ask(method, path, body) {
      requests += 1
      const response = await fetch(base() + path, {
        method,
        headers: {
          'x-user': user,
          'x-request-id': `${user}-${requests}`,
          // A kept connection may be closed by the server just when it's used again.
          connection: 'close',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
    },
  }
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

/** Goes through all that the shop can be asked. Returns the ids of what it made. */
export async function httpTests({
  ask,
}: Shop): Promise<{ readonly reward: string; readonly subscription: string }> {
  const offered = await ask('POST', '/rewards', { title: 'A print', price: 12.5, places: 2 })
  expect(offered).toEqual({
    status: 201,
    body: {
      id: expect.stringMatching(/^\d+$/),
      title: 'A print',
      price: '12.50',
      places: 2,
      created_at: TIME,
    },
  })
  const reward = String(offered.body['id'])
  expect(await ask('GET', `/rewards/${reward}`)).toEqual({ status: 200, body: offered.body })
  expect(await ask('PATCH', `/rewards/${reward}`, { price: 9.99 })).toEqual({
    status: 200,
    body: { ...offered.body, price: '9.99' },
  })

  const created = await ask('POST', '/subscriptions', { user_id: 123, reward_id: Number(reward) })
  const unpaid = {
    id: expect.stringMatching(/^\d+$/),
    user_id: '123',
    reward_id: reward,
    status: 'unpaid',
    stripe_key: null,
    created_at: TIME,
    activated_at: null,
    deactivated_at: null,
  }
  expect(created).toEqual({ status: 201, body: unpaid })
  const subscription = String(created.body['id'])
  expect((await ask('GET', `/rewards/${reward}`)).body).toMatchObject({ places: 1 })

  const active = { ...created.body, status: 'active', stripe_key: 'sub_66123', activated_at: TIME }
  const activated = await ask('POST', `/subscriptions/${subscription}/activate`, { stripe_key: 'sub_66123' })
  expect(activated).toEqual({ status: 200, body: active })
  // Once more, and nothing moves.
  expect(await ask('POST', `/subscriptions/${subscription}/activate`, { stripe_key: 'sub_other' })).toEqual(
    activated,
  )
  const ended = { ...activated.body, status: 'inactive', deactivated_at: TIME }
  const deactivated = await ask('POST', `/subscriptions/${subscription}/deactivate`, { reason: 'moved away' })
  expect(deactivated).toEqual({ status: 200, body: ended })
  expect(await ask('POST', `/subscriptions/${subscription}/deactivate`, {})).toEqual(deactivated)
  expect(await ask('GET', `/subscriptions/${subscription}`)).toEqual(deactivated)

  await refusals({ ask }, reward, subscription)
  const unwanted = await ask('POST', '/rewards', { title: 'A poster', price: 5, places: 0 })
  const path = `/rewards/${String(unwanted.body['id'])}`
  expect(
    (await ask('POST', '/subscriptions', { user_id: 1, reward_id: Number(unwanted.body['id']) })).status,
  ).toBe(409)
  expect(await ask('DELETE', path)).toEqual({ status: 204, body: {} })
  expect((await ask('GET', path)).status).toBe(404)
  expect((await ask('DELETE', path)).status).toBe(404)
  return { reward, subscription }
}

async function refusals({ ask }: Shop, reward: string, subscription: string): Promise<void> {
  const refused: readonly (readonly [number, string, string, unknown?])[] = [
    [400, 'POST', '/rewards', { title: '', price: 1, places: 1 }],
    [400, 'POST', '/rewards', { title: 'No price' }],
    [400, 'PATCH', `/rewards/${reward}`, { price: -1 }],
    [400, 'POST', '/subscriptions', { user_id: 'ada', reward_id: Number(reward) }],
    [400, 'POST', `/subscriptions/${subscription}/activate`, {}],
    [404, 'PATCH', '/rewards/999999999', { price: 1 }],
    [404, 'GET', '/subscriptions/999999999'],
    [404, 'POST', '/subscriptions', { user_id: 1, reward_id: 999999999 }],
    [404, 'POST', '/subscriptions/999999999/activate', { stripe_key: 'x' }],
    [404, 'POST', '/subscriptions/999999999/deactivate', {}],
    [400, 'GET', '/rewards/none'],
    [400, 'PATCH', '/rewards/none', { price: 1 }],
    // It was deactivated, and has subscriptions.
    [409, 'POST', `/subscriptions/${subscription}/activate`, { stripe_key: 'x' }],
    [409, 'DELETE', `/rewards/${reward}`],
  ]
  for (const [status, method, path, body] of refused) {
    const answer = await ask(method, path, body)
    expect([answer.status, method, path, JSON.stringify(answer.body)]).toEqual([
      status,
      method,
      path,
      expect.stringContaining('error'),
    ])
  }
}
