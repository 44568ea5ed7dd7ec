/** The examples of docs/testing.md run, word by word: what `import` names there is given here. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { given } from '../../src/testing/index.js'
import { Subscription } from '../support/subscription.js'
import { Activate } from './subscription-commands.js'

// ── as on the page ───────────────────────────────────────────────────────────────────────────────────────────────
const created = { type: 'Created', data: { user_id: 123, reward_id: 334, payment_source_key: null } } as const
const activated = { type: 'Activated', data: { stripe_key: 'sub_66123' } } as const
const input = { id: 12, stripe_key: 'sub_66123' }

it('activates', () => given(Subscription, [created]).when(Activate, input).then([activated]))

it('is active then', () =>
  given(Subscription, [{ ...created, at: '2018-02-01' }])
    .when(Activate, input, { now: '2018-02-03 12:00Z' })
    .thenRow({ status: 'active', activated_at: '2018-02-03 12:00:00+00' }))

it('activates once', () => given(Subscription, [created, activated]).when(Activate, input).thenNothing())

it('leaves what was deactivated', () =>
  given(Subscription, [created, { type: 'Deactivated' }])
    .when(Activate, input)
    .thenThrows('EW_COMMAND_REFUSED', /deactivated/))

it('wants a row', () => given().when(Activate, input).thenThrows('EW_COMMAND_GONE'))

it('tells what came out', async () => {
  const { events, row } = await given(Subscription, [created]).when(Activate, input).outcome()
  expect(events[0]?.version).toBe(2)
  expect(row?.user_id).toBe('123')
})
// ── end of the page ──────────────────────────────────────────────────────────────────────────────────────────────

it('is the example of docs/testing.md', () => {
  const own = readFileSync(fileURLToPath(import.meta.url), 'utf8')
  const shown = /─\n(const created[\s\S]*?)\/\/ ── end/.exec(own)?.[1]?.trim()
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
  expect(shown).toBeDefined()
  expect(page).toContain(`${shown}\n\`\`\``)
})
