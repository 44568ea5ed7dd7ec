import { oneFunction, roundTrips } from '../commands/by-hand.js'
import type { CommandForm } from '../commands/command-form.js'
import { emmett } from '../commands/emmett.js'
import { eventward } from '../commands/eventward.js'
import { serverCpu } from '../server-cpu.js'
import type { Outcome, TaskOptions } from '../task.js'

const FORMS: Readonly<Record<string, (url: string, connections: number) => CommandForm>> = {
  eventward,
  emmett,
  roundTrips,
  oneFunction,
}

/** Connections are open, plans are made, code is compiled before anything is measured: a process gets faster for thousands of commands. */
const WARM = 5_000

/**
 * Carries out `size` commands of the form that `statement` names on `from` subscriptions, as many at a time as there
 * are `workers`. Tells the time and the CPU, of this process and the server, of those alone, in ms.
 */
export async function commands(
  url: string,
  { statement, size, from, workers, pid }: TaskOptions,
): Promise<Outcome> {
  const form = FORMS[statement]?.(url, workers)
  if (form === undefined) throw new RangeError(`no form ${statement}`)
  const some = async (count: number) => {
    let left = count
    const work = async () => {
      while (left > 0) {
        left -= 1
        await form.flip(1 + Math.floor(Math.random() * from))
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
  }
  try {
    await some(WARM)
    const before = serverCpu(pid)
    const own = process.cpuUsage()
    const started = performance.now()
    await some(size)
    const ms = performance.now() - started
    const { user, system } = process.cpuUsage(own)
    const after = serverCpu(pid)
    const client = (user + system) / 1_000
    const server = before === null || after === null ? null : after - before
    return {
      ms,
      commands: WARM + size,
      client,
      ...(server === null ? {} : { server, cpu: server + client }),
    }
  } finally {
    await form.close()
  }
}
