import { refusedBy } from './command-errors.js'
import type { CommandPlan, SeenTarget, Slots } from './command-plan.js'
import type { Built } from './planned-event.js'

/**
 * What a command means upon what it sees: the events of each target, or null where there is nothing to do.
 *
 * @throws GateError EW_COMMAND_REFUSED where the state is against it.
 */
export async function decide(
  plan: CommandPlan,
  seen: Slots<SeenTarget>,
  { attributes, id }: { readonly attributes: unknown; readonly id: string | null },
): Promise<Slots<readonly Built[]> | null> {
  const objection = await plan.validate(seen, attributes)
  if (typeof objection === 'string' && objection !== '') throw refusedBy(plan.named, id, objection)
  if (await plan.noop(seen, attributes)) return null
  return plan.build(seen, attributes)
}
