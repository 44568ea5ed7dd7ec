import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU in ticks of 10 ms. */
const MS_PER_TICK = 10

/**
 * CPU, in ms, that a postmaster and all its children have used so far; null where there is no /proc. A backend that has
 * ended is counted with its parent, so that no session is missed between two looks.
 */
export function serverCpu(postmaster: number): number | null {
  try {
    const own = stat(postmaster)
    const living = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => stat(Number(name)))
      .filter((process) => process?.parent === postmaster)
      .reduce((sum, process) => sum + (process?.self ?? 0), 0)
    return own === null ? null : (own.self + own.ended + living) * MS_PER_TICK
  } catch {
    return null
  }
}

/** Fields after the command, which stands in brackets and may hold anything: state, ppid, ..., utime is the 12th. */
function stat(pid: number): { parent: number; self: number; ended: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11)
    return { parent: fields[1] ?? 0, self: utime + stime, ended: cutime + cstime }
  } catch {
    return null // ended meanwhile
  }
}
