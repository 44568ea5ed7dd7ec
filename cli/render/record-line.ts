/**
 * A line of stderr for scripts: what kind it is, of which command, and what it says, as JSON on one line. Pure.
 */
export function recordLine(
  type: 'target' | 'progress' | 'notice',
  command: string,
  members: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({ v: 1, type, command, ...members })
}
