/** What an error is in HTTP; for the express application and the fastify one. */
export function statusOf(error: Error & { readonly code?: string; readonly statusCode?: number }): number {
  return error.statusCode ?? STATUS[error.code ?? ''] ?? 500
}

/** 23503: there are subscriptions to this reward. 22P02: the path's id is no number. */
const STATUS: Readonly<Record<string, number>> = {
  EW_COMMAND_INVALID: 400,
  EW_COMMAND_GONE: 404,
  EW_COMMAND_REFUSED: 409,
  23503: 409,
  '22P02': 400,
}
