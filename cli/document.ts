import type { EventwardError } from '../src/errors/index.js'

/** What `--json` prints: one of these on stdout, whatever happens. */
export interface Document {
  readonly v: 1
  readonly command: string
  readonly ok: boolean
  readonly [member: string]: unknown
}

/** The `error` member of a document. */
export interface ErrorMember {
  readonly code: string
  readonly message: string
  readonly next: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** An error as scripts read it. */
export function errorMember(error: EventwardError): ErrorMember {
  return { code: error.code, message: error.message, next: error.next ?? null, details: error.details }
}

/** A document as text: one line, 64-bit numbers as strings. */
export function documentText(document: Document | ErrorMember): string {
  return JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}
