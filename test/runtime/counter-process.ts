/** Counts up, or calls the reactors, in a process of its own. */
import { reactionWorker } from '../../src/react/index.js'
import { countUp, dispatcher } from './counter.js'

const [url = '', what = '', each = '0'] = process.argv.slice(2)
if (what === 'count') {
  process.stdout.write(`${JSON.stringify({ conflicts: await countUp(url, Number(each)) })}\n`)
} else {
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  const worker = await reactionWorker({ url, dispatcher, signal: stop.signal, pollMs: 200 })
  await worker.run()
  await worker.close()
}
