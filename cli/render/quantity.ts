/** A count with thousands apart; `≈` where it's an estimate, `–` where nobody knows. Never a 0 for an unknown. */
export function count(value: string | null | undefined, estimate = false): string {
  if (value === null || value === undefined) return '–'
  return `${estimate ? '≈' : ''}${grouped(value)}`
}

/** By text: it may be beyond what a number holds. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** `1 row`, `2 rows`. */
export function plural(value: string | number, one: string, many = `${one}s`): string {
  return `${grouped(String(value))} ${String(value) === '1' ? one : many}`
}

/** Bytes as people say them: `2.1 GB`. */
export function bytes(value: string | null): string {
  if (value === null) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let size = Number(value)
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

/** A length of time in its two greatest units: `42s`, `4m 05s`, `2h 11m`, `3d 4h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole}s`
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`
  if (whole < 86_400) return `${Math.floor(whole / 3_600)}h ${pad(Math.floor((whole % 3_600) / 60))}m`
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3_600)}h`
}

/** A share (0 to 1) as a percentage; 100% and 0.0% only where it is all and nothing. */
export function percent(share: number | null): string {
  if (share === null) return '–'
  const shown = (share * 100).toFixed(1)
  if (shown === '100.0' && share < 1) return '99.9%'
  if (shown === '0.0' && share > 0) return '0.1%'
  return shown === '100.0' ? '100%' : `${shown}%`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
