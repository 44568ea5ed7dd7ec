/** A statement and its parameters: what a builder returns and `db` runs. Values are text, or null for SQL NULL. */
export interface Query {
  readonly text: string
  readonly values: readonly QueryValue[]
}

/** node-postgres turns an array of texts into a PostgreSQL array literal. Cast each parameter in the text. */
export type QueryValue = string | null | readonly (string | null)[]
