import type { Cost } from './run-task.js'

/** One way to do the work, made ready and run once a round. */
export interface Variant {
  readonly name: string
  readonly prepare?: () => Promise<void>
  readonly run: () => Promise<Cost>
  /** Looks at the outcome; throws where it's not what it should be. */
  readonly check?: (cost: Cost) => Promise<void>
}

/** Costs by name of variant, one a round. */
export type Rounds = readonly ReadonlyMap<string, Cost>[]

/** Runs all variants in each round, each round beginning with another one: none always follows the same. */
export async function runRounds(
  variants: readonly Variant[],
  rounds: number,
  onRun: (round: number, name: string, cost: Cost) => void,
): Promise<Rounds> {
  const done: Map<string, Cost>[] = []
  for (let round = 0; round < rounds; round += 1) {
    const costs = new Map<string, Cost>()
    for (let at = 0; at < variants.length; at += 1) {
      const variant = variants[(round + at) % variants.length]
      if (variant === undefined) continue
      await variant.prepare?.()
      const cost = await variant.run()
      await variant.check?.(cost)
      costs.set(variant.name, cost)
      onRun(round, variant.name, cost)
    }
    done.push(costs)
  }
  return done
}

/** Median over the rounds of the ratio of two variants within one round; null where it's not known. */
export function ratio(rounds: Rounds, of: string, to: string, by: 'wallMs' | 'cpuMs'): number | null {
  const ratios = rounds.flatMap((costs) => {
    const [a, b] = [costs.get(of)?.[by], costs.get(to)?.[by]]
    return a === undefined || b === undefined || a === null || b === null || b === 0 ? [] : [a / b]
  })
  return median(ratios)
}

export function medianOf(rounds: Rounds, name: string, by: 'wallMs' | 'cpuMs' | 'peakMb'): number | null {
  return median(rounds.flatMap((costs) => costs.get(name)?.[by] ?? []))
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0]
  return (low + high) / 2
}
