import type { BoundModel } from '../definition/index.js'
import { columnsOf, isRecognisable } from '../recognise/index.js'
import type { Said } from './lint-finding.js'

/** Columns that no event carries or sets: a change of them is a `Changed`. Pure. */
export function lintColumns(model: BoundModel): readonly Said[] {
  const set = new Set(model.events.flatMap(columnsOf))
  const unset = model.columns.filter(
    ({ name }) => !set.has(name) && !model.key.includes(name) && name !== model.updatedAt,
  )
  const coded = model.events.filter((event) => !isRecognisable(event)).map(({ type }) => type)
  const but = coded.length === 0 ? '' : `, unless the code of ${coded.join(', ')} does`
  return unset.map(({ name }) => ({
    level: 'warning',
    rule: 'column_unset',
    event: null,
    message: `no event carries or sets ${name}${but}: a change of it is a ${model.residue.changed}`,
    next: 'Let the event that means such a change carry it; `eventward explain` tells how many rows there are.',
  }))
}
