/**
 * A hint for a misspelt name, to stand before a next step: `Did you mean "status"? `, or nothing where none is near.
 */
export function nearestName(name: string, candidates: readonly string[]): string {
  const limit = Math.max(1, Math.floor(name.length / 3))
  let best: { readonly candidate: string; readonly distance: number } | null = null
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= limit && (best === null || distance < best.distance)) best = { candidate, distance }
  }
  return best === null ? '' : `Did you mean ${JSON.stringify(best.candidate)}? `
}

/** Levenshtein's distance, where two letters that changed places count once; a row of the table at a time. */
function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const crossed = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swapped = crossed ? at(beforeLast, j - 2) + 1 : replaced
      current.push(Math.min(replaced, swapped, at(last, j) + 1, at(current, j - 1) + 1))
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
