import { describe, expect, it } from 'vitest'
import { found } from '../../src/inspect/finding.js'
import { pasteable } from '../../src/inspect/pasteable.js'

describe('the remedies of doctor', () => {
  it('can be pasted one after the other, each statement once', () => {
    const said = pasteable([
      found('stop', 'select', 'no', 'grant usage on schema "a" to "me"; grant select on "a"."b" to "me"'),
      found('stop', 'select', 'no', 'grant usage on schema "a" to "me"; grant select on "a"."c" to "me"'),
      found('stop', 'owner', 'no', 'grant select on "a"."c" to "me"'),
      found('warn', 'version', 'old', 'Run another; soon'),
    ]).map(({ next }) => next)
    expect(said).toEqual([
      'grant usage on schema "a" to "me"; grant select on "a"."b" to "me";',
      'grant select on "a"."c" to "me";',
      'As said above.',
      'Run another; soon',
    ])
  })
})
