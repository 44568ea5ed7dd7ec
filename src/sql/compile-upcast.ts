import type { UpcastStep } from '../definition/index.js'
import { constantJson } from '../fold/index.js'
import { literal } from './literal.js'

/** Where a member comes from: a stored member of that name, or a constant (raw JSON), which is always there. */
type Candidate = { readonly member: string } | { readonly json: string }

/**
 * SQL of an event's data (jsonb) after the declared steps of its upcasts: the twin of `lift`. The steps are worked out
 * here, member by member, so that what is stored is read once for each, however many steps there are.
 *
 * @param data SQL of the stored data.
 */
export function upcastSql(data: string, steps: readonly UpcastStep[]): string {
  const members = candidatesAfter(steps)
  if (members.size === 0) return data
  const touched = [...members.keys()].map(literal).join(', ')
  const made = [...members].flatMap(([name, candidates]) => memberSql(data, name, candidates))
  const constants = [...members].flatMap(([name, candidates]) => {
    const json = candidates.find((one) => 'json' in one)
    return json === undefined ? [] : [`${JSON.stringify(name)}:${(json as { readonly json: string }).json}`]
  })
  const object = [`(${data} - array[${touched}])`, ...made].join(' || ')
  return `case when pg_catalog.jsonb_typeof(${data}) = 'object' then ${object} else ${literal(`{${constants.join(',')}}`)}::pg_catalog.jsonb end`
}

/** The first that is there counts. */
function candidatesAfter(steps: readonly UpcastStep[]): ReadonlyMap<string, readonly Candidate[]> {
  const members = new Map<string, readonly Candidate[]>()
  const of = (name: string) => members.get(name) ?? [{ member: name }]
  for (const step of steps) {
    if (step.op === 'drop') members.set(step.attribute, [])
    else if (step.op === 'add') {
      members.set(step.attribute, [...of(step.attribute), { json: constantJson(step.value) }])
    } else if (step.op === 'rename' && step.from !== step.to) {
      members.set(step.to, [...of(step.from), ...of(step.to)])
      members.set(step.from, [])
    }
  }
  return members
}

function memberSql(data: string, name: string, candidates: readonly Candidate[]): readonly string[] {
  if (candidates.length === 0) return []
  const constant = candidates.findIndex((one) => 'json' in one)
  const reached = constant === -1 ? candidates : candidates.slice(0, constant + 1)
  const branches = reached.flatMap((one) =>
    'member' in one
      ? [
          `when ${data} ? ${literal(one.member)} then pg_catalog.jsonb_build_object(${literal(name)}, ${data} -> ${literal(one.member)})`,
        ]
      : [],
  )
  const last = reached.at(-1)
  const otherwise =
    last !== undefined && 'json' in last
      ? `${literal(`{${JSON.stringify(name)}:${last.json}}`)}::pg_catalog.jsonb`
      : `'{}'::pg_catalog.jsonb`
  return [branches.length === 0 ? otherwise : `case ${branches.join(' ')} else ${otherwise} end`]
}
