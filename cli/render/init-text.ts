import type { Initialised } from '../../src/init/index.js'
import { count } from './quantity.js'
import { table } from './table.js'

/** What `init` inferred and wrote. Pure. */
export function initText({ tables, files }: Initialised, next: string): string {
  const rows = tables.map(({ table: name, supported, reasons, rows, events }) => [
    `${supported ? '✓' : '✗'} ${name}`,
    count(rows, true),
    supported ? events.join(', ') : reasons.map(({ message }) => message).join('; '),
  ])
  return [
    table([{ head: '  TABLE' }, { head: 'ROWS', align: 'right' }, { head: 'EVENTS' }], rows),
    ...files.map(({ path, outcome }) => `${outcome === 'same' ? 'unchanged' : 'wrote'} ${path}`),
    'Read the definitions: rename what has a better name in your domain. They are lossless as they are.',
    `next: ${next}`,
  ].join('\n')
}
