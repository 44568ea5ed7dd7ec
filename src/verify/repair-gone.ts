import type { Session } from '../db/index.js'
import { readPair } from './read-pair.js'
import { type RepairJob, repairTransaction } from './repair-job.js'
import { planRepair, type RepairPlan } from './repair-plan.js'
import { append } from './repair-row.js'

/**
 * Appends `Deleted` to streams that are alive without a row, in one transaction under SHARE ROW EXCLUSIVE of the table.
 * There is no row to lock: an insert of its key that is under way has made up its mind already (the end of the old
 * stream, then the creation), and would write the end a second time, behind ours. So writers are waited out, for as
 * long as the limits say, and held for a few statements.
 *
 * Gives what was done by id; another plan than `delete`: the row is there again, nothing was done.
 */
export function removeGone(
  session: Session,
  job: RepairJob,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RepairPlan>> {
  const { source } = job.run
  return repairTransaction(session, job, 'share row exclusive', async () => {
    const plans = new Map<string, RepairPlan>()
    for (const id of ids) {
      const plan = await planRepair(session, source, await readPair(session, source, id), new Map())
      plans.set(id, plan)
      if (plan.kind === 'delete') await append(session, job, id, plan.events)
    }
    return plans
  })
}
