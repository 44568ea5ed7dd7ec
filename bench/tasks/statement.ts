import { connect } from '../../src/db/index.js'
import type { Outcome, TaskOptions } from '../task.js'

/** Runs one statement written by hand. */
export async function statement(url: string, options: TaskOptions): Promise<Outcome> {
  const database = await connect({ url })
  try {
    return { touched: await database.session((s) => s.execute({ text: options.statement, values: [] })) }
  } finally {
    await database.close()
  }
}
