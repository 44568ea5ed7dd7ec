/** The application's writers, in a process of their own: what we do in ours shall not look like a wait of theirs. */
import { loadConfig } from '../../config/index.js'
import { Application } from './application.js'
import { commandWork } from './command-work.js'
import { Keys } from './keys.js'
import { LOAD_VARIABLE, type LoadAnswer, type LoadRequest, type LoadStart } from './messages.js'
import { plainWork, type Work } from './plain-work.js'
import { seenBy, toldBy, Writer } from './writer.js'

/** How often each kind of work is done, by writer. `billing` and `reports` are old code to the end. */
const WRITERS: readonly { readonly name: string; readonly does: Readonly<Record<string, number>> }[] = [
  { name: 'billing', does: { activate: 8, deactivate: 4, 'change payment': 4, transaction: 3 } },
  { name: 'reports', does: { 'several rows': 3, upsert: 6, 'change key': 2, duplicate: 1, remove: 1 } },
  { name: 'shop', does: { create: 8, activate: 6, 'change payment': 3, transaction: 3, duplicate: 1 } },
  { name: 'support', does: { deactivate: 6, remove: 2, activate: 6, upsert: 3, 'change key': 1 } },
]

/** The same of those who use commands in the end. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  shop: { 'command Subscribe': 8, 'command Activate': 6, 'command Deactivate': 3 },
  support: { 'command Deactivate': 6, 'command Activate': 6, 'command Remove': 1 },
}

const { url, rows, reserved } = JSON.parse(process.env[LOAD_VARIABLE] ?? '{}') as LoadStart
const applications = WRITERS.map(({ name }) => new Application(url, name))
const keysOf = WRITERS.map((_, index) => new Keys(index, WRITERS.length, rows, reserved))
const writers = WRITERS.map(
  ({ name, does }, index) =>
    new Writer(name, keysOf[index]!, workOf(plainWork(applications[index]!, keysOf[index]!), does)),
)

/** Each kind as often as it's done. */
function workOf(kinds: Readonly<Record<string, Work>>, does: Readonly<Record<string, number>>) {
  return Object.entries(does).flatMap(([kind, times]) =>
    Array.from({ length: times }, () => [kind, kinds[kind]!] as const),
  )
}

/**
 * `shop` and `support` are moved to commands; the others stay as they are. All stand still while the definition is
 * compiled: that would hold up this process, and look like a wait for the database.
 */
async function useCommands(folder: string): Promise<void> {
  await Promise.all(writers.map((writer) => writer.pause()))
  const { aggregates } = await loadConfig(undefined, folder)
  const definition = aggregates.find(({ name }) => name === 'Subscription')
  if (definition === undefined) return
  for (const [index, { name }] of WRITERS.entries()) {
    const does = COMMANDS[name]
    if (does === undefined) continue
    const kinds = commandWork(applications[index]!, keysOf[index]!, name, definition)
    writers[index]!.change(workOf(kinds, does))
  }
  for (const writer of writers) writer.run()
}

async function answer(request: LoadRequest): Promise<LoadAnswer> {
  switch (request.ask) {
    case 'run':
      // Connecting is no wait of a transaction.
      await Promise.all(applications.map((application) => application.connect()))
      for (const writer of writers) writer.run()
      return null
    case 'pause':
      await Promise.all(writers.map((writer) => writer.pause()))
      return null
    case 'look':
      return { seen: seenBy(writers.map((writer) => writer.look())) }
    case 'ledger':
      return { told: toldBy(writers.map((writer) => writer.tell())) }
    case 'commands':
      await useCommands(request.folder)
      return null
    case 'end':
      await Promise.all(writers.map((writer) => writer.pause()))
      await Promise.all(applications.map((application) => application.close()))
      return null
  }
}

// One after the other: a request that comes while another is answered waits for it.
let before: Promise<unknown> = Promise.resolve()
process.on('message', (request: LoadRequest) => {
  before = before
    .then(() => answer(request))
    .catch((error: unknown) => ({ failed: String(error) }))
    .then((said) => process.send?.(said))
})
// Ctrl-C goes to all processes of a terminal; the demo's own ends this one. If that dies, this one has no work.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit())
