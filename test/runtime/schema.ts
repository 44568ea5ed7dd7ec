import type { StandardIssue, StandardSchemaV1 } from '../../src/definition/index.js'

/** A validator of a few lines that speaks Standard Schema: `check` gives what is wrong. */
export function schema<T extends object>(
  check: (value: Readonly<Record<string, unknown>> & Partial<T>) => readonly StandardIssue[] = () => [],
): StandardSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const issues = check(value as Readonly<Record<string, unknown>> & Partial<T>)
        return issues.length > 0 ? { issues } : { value: value as T }
      },
    },
  }
}
