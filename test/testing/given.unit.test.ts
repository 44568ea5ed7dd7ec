import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { given } from '../../src/testing/index.js'
import { Subscription } from '../support/subscription.js'
import { Activate, Create, Remove } from './subscription-commands.js'

const created = {
  type: 'Created',
  data: { user_id: 123, reward_id: 334, payment_source_key: null },
} as const
const activated = { type: 'Activated', data: { stripe_key: 'sub_66123' } } as const
const input = { id: 12, stripe_key: 'sub_66123' }

/** The message of a failed expectation. */
async function failure(run: Promise<void>): Promise<AssertionError> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof AssertionError) return error
  throw error ?? new RangeError('it held')
}

describe('given events, a command', () => {
  it('gives the event that it means', () =>
    given(Subscription, [created]).when(Activate, input).then([activated]))

  it('gives it as one, too', () => given(Subscription, [created]).when(Activate, input).then(activated))

  it('takes events whose aggregate is the command’s to tell', () =>
    given([created]).when(Activate, input).then([activated]))

  it('leads to a row, at a time that is always the same or given', async () => {
    const run = given(Subscription, [{ ...created, at: '2018-02-01T01:00:00+01:00' }]).when(Activate, input, {
      now: '2018-02-03 12:00:00.50Z',
    })
    await run.thenRow({
      id: 12,
      user_id: '123',
      status: 'active',
      created_at: '2018-02-01 00:00:00+00',
      activated_at: '2018-02-03 12:00:00.5+00',
      deactivated_at: null,
    })
    await given([created]).when(Activate, input).thenRow({ activated_at: '2000-01-01 00:00:00+00' })
  })

  it('has nothing to do where its no-op says so', async () => {
    const run = given(Subscription, [created, activated]).when(Activate, input)
    await run.thenNothing()
    await run.then([])
    await run.thenRow({ status: 'active' })
  })

  it('is refused by the state, by its attributes, and where there is no row', async () => {
    const inactive = given(Subscription, [created, { type: 'Deactivated' }]).when(Activate, input)
    await inactive.thenThrows('EW_COMMAND_REFUSED')
    await inactive.thenThrows('EW_COMMAND_REFUSED', 'deactivated', /^Subscription\.Activate 12: it was/)
    await given([created]).when(Activate, { id: 12, stripe_key: '' }).thenThrows('EW_COMMAND_INVALID')
    await given().when(Activate, input).thenThrows('EW_COMMAND_GONE')
    await given([created, { type: 'Deleted' }])
      .when(Activate, input)
      .thenThrows('EW_COMMAND_GONE')
  })

  it('creates a row, under a key that is given', async () => {
    const run = given().when(Create, { id: 12, user_id: 1, reward_id: 2, payment_source_key: 'pm_1' })
    await run.then([{ type: 'Created', data: { user_id: '1', reward_id: 2n, payment_source_key: 'pm_1' } }])
    await run.thenRow({ id: '12', status: 'unpaid' })
    await given()
      .when(Create, { user_id: 1, reward_id: 2, payment_source_key: null })
      .thenThrows('EW_COMMAND_INVALID', 'the key is missing')
  })

  it('removes a row, with what happened before', async () => {
    const run = given(Subscription, [created, activated]).when(Remove, { id: 12 })
    await run.then([{ type: 'Deactivated' }, { type: 'Deleted' }])
    await run.thenRow(null)
    await given([created]).when(Remove, { id: 12 }).then({ type: 'Deleted' })
  })

  it('sees what old code left behind', () =>
    given(Subscription, [created, { type: 'Changed', data: { status: 'inactive' } }])
      .when(Activate, input)
      .thenThrows('EW_COMMAND_REFUSED'))

  it('gives what came out, for whoever asks', async () => {
    const { events, row } = await given([created]).when(Activate, input).outcome()
    expect(events.map(({ type, version, id }) => [type, version, id])).toEqual([['Activated', 2, '12']])
    expect(events[0]?.type === 'Activated' && events[0].stripe_key).toBe('sub_66123')
    expect(row?.stripe_key).toBe('sub_66123')
    await expect(given().when(Activate, input).outcome()).rejects.toMatchObject({ code: 'EW_COMMAND_GONE' })
  })

  it('fails where nothing is expected of it', async () => {
    const awaited = (async () => given([created]).when(Activate, input) as unknown)()
    await expect(awaited).rejects.toMatchObject({ code: 'EW_TESTING_EXPECTATION' })
  })

  it('refuses events that can not have happened one after the other', async () => {
    await expect(given([activated]).when(Activate, input).thenNothing()).rejects.toMatchObject({
      code: 'EW_TESTING_GIVEN',
    })
    await expect(given([created, created]).when(Activate, input).thenNothing()).rejects.toMatchObject({
      code: 'EW_TESTING_GIVEN',
    })
  })
})

describe('an expectation that does not hold', () => {
  it('shows the difference, and has both sides for the test runner', async () => {
    const error = await failure(
      given([created])
        .when(Activate, input)
        .then([{ type: 'Activated', data: { stripe_key: 'sub_1' } }]),
    )
    expect(error.actual).toEqual([activated])
    expect(error.expected).toEqual([{ type: 'Activated', data: { stripe_key: 'sub_1' } }])
    expect(error.message).toContain('-      stripe_key: "sub_1"\n+      stripe_key: "sub_66123"')
  })

  it('tells of other events, of none, of too many', async () => {
    const run = given([created]).when(Activate, input)
    for (const wrong of [[], [{ type: 'Deactivated' }], [activated, { type: 'Deactivated' }]] as const) {
      expect((await failure(run.then(wrong))).message).toMatch(/^the events are others\n/)
    }
    expect((await failure(run.thenNothing())).message).toMatch(/^events came of it/)
    expect((await failure(run.thenThrows())).message).toMatch(/^it was not refused/)
    expect((await failure(run.thenRow(null))).message).toMatch(/^the row is there/)
    expect((await failure(run.thenRow({ stripe_key: 'sub_1' }))).message).toContain(
      '+  stripe_key: "sub_66123"',
    )
  })

  it('tells why the command was refused, with its error as the cause', async () => {
    const run = given().when(Activate, input)
    for (const promise of [run.then([activated]), run.thenNothing(), run.thenRow(null)]) {
      const error = await failure(promise)
      expect(error.message).toContain('EW_COMMAND_GONE Subscription.Activate: subscriptions has no row id 12')
      expect(error.cause).toMatchObject({ code: 'EW_COMMAND_GONE' })
    }
    expect((await failure(run.thenThrows('EW_COMMAND_REFUSED'))).message).toContain('EW_COMMAND_GONE')
    expect((await failure(run.thenThrows('EW_COMMAND_GONE', 'nonsense'))).message).toContain('nonsense')
  })
})
