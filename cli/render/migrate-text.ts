import type { MigrateResult, MigrationStatus } from '../../src/migrate/index.js'

/** What a run of migrations did. Pure. */
export function migrateText({ direction, migrations, applied }: MigrateResult): string {
  const verb = direction === 'up' ? 'applied' : 'took back'
  const lines = migrations.map((name) => `✓ ${verb} ${name}`)
  if (lines.length === 0) return direction === 'up' ? '✓ up to date' : '✓ nothing was installed'
  return [...lines, ...(applied.length === 0 ? [] : ['next: eventward plan'])].join('\n')
}

/** What is installed. Pure. */
export function migrationsText({ migrations, events, unknown }: MigrationStatus): string {
  return [
    ...migrations.map(
      ({ name, appliedAt }) => `${appliedAt === null ? '·' : '✓'} ${name}  ${appliedAt ?? 'not applied'}`,
    ),
    ...unknown.map((name) => `! ${name}  applied by a newer version`),
    events === null
      ? 'not installed: there is no events table of ours'
      : `events table: ${events.schema}.${events.table}`,
    ...(migrations.some(({ appliedAt }) => appliedAt === null) ? ['next: eventward migrate up'] : []),
  ].join('\n')
}
