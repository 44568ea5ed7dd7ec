import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GateError } from '../errors/index.js'

export interface RefinedDefinition {
  /** The definition of Subscription as `init` inferred it. */
  readonly inferred: string
  /** The same after the edit. */
  readonly refined: string
}

/**
 * What a person does after `init`: nobody can see in the catalog that a subscription gets its Stripe key when it is
 * activated, so it's moved from Created to Activated, in the file.
 */
export async function refineDefinition(folder: string): Promise<RefinedDefinition> {
  const path = join(folder, 'eventward.config.ts')
  const text = await readFile(path, 'utf8')
  const refined = EDITS.reduce((edited, [from, to]) => edited.replace(from, to), text)
  if (
    !refined.includes("Activated: { data: ['stripe_key'],") ||
    /payment_source_key', 'stripe_key'/.test(refined)
  ) {
    throw new GateError(
      'EW_DEMO_UNEXPECTED',
      `${path}: init inferred another definition than the demo expects`,
      {
        next: 'Report it, with the file.',
        details: { text },
      },
    )
  }
  await writeFile(path, refined)
  return { inferred: definitionIn(text), refined: definitionIn(refined) }
}

const EDITS = [
  [", 'stripe_key']", ']'],
  ['Activated: { set:', "Activated: { data: ['stripe_key'], set:"],
] as const

function definitionIn(text: string): string {
  return /^export const Subscription = [\s\S]*?^\}\)/m.exec(text)?.[0] ?? text
}
