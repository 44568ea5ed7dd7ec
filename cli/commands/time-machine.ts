import type { Session } from '../../src/db/index.js'
import type { AggregateDefinition } from '../../src/definition/index.js'
import { tableName } from '../../src/definition/index.js'
import { EventwardError } from '../../src/errors/index.js'
import { selectAggregates } from '../../src/inspect/index.js'
import {
  type RefusedTimeMachine,
  type TimeMachine,
  timeMachineOff,
  timeMachineOn,
  timeMachineStatus,
} from '../../src/timemachine/index.js'
import { command } from '../command.js'
import { errorMember } from '../document.js'
import { TABLES } from '../options.js'
import { timeMachineText } from '../render/time-machine-text.js'

type Done = TimeMachine | RefusedTimeMachine

/** `eventward time-machine on`, `off` and `status` */
export const timeMachine = command({
  usage: 'time-machine <action> [table..]',
  summary: 'Make the SQL functions that give a whole table as of a time, drop them, or say how they are',
  examples: [
    ['$0 time-machine on subscriptions', "Then: select * from eventward.subscriptions_as_of('2018-03-01')"],
    ['$0 time-machine on', 'For every table of the configuration of which SQL knows what its events do'],
  ],
  options: {
    action: { type: 'string', demandOption: true, choices: ['on', 'off', 'status'] },
    table: TABLES,
  },
  async run(args, host) {
    const config = await host.config()
    const definitions = selectAggregates(config, args.table)
    const work = WORK[args.action as keyof typeof WORK]
    // One that was named must work; of all, those that can't are told.
    const named = (args.table ?? []).length > 0
    const tables = await host.withDatabase(config, (database) =>
      database.session(async (session) => {
        const done: Done[] = []
        for (const definition of definitions) done.push(await workOn(session, definition, work))
        return done
      }),
    )
    const refused = tables.flatMap((one) => ('error' in one ? [one.error] : []))
    const error = refused.find(({ code }) => named || code !== 'EW_TIME_MACHINE_CODE')
    return {
      ok: error === undefined,
      members: {
        tables: tables.map((one) => ('error' in one ? { ...one, error: errorMember(one.error) } : one)),
      },
      text: () => timeMachineText(tables, host.io.stdout),
      ...(error === undefined ? {} : { error }),
    }
  },
})

const WORK = { on: timeMachineOn, off: timeMachineOff, status: timeMachineStatus } as const

async function workOn(
  session: Session,
  definition: AggregateDefinition,
  work: (session: Session, definition: AggregateDefinition) => Promise<TimeMachine>,
): Promise<Done> {
  try {
    return await work(session, definition)
  } catch (error) {
    if (!(error instanceof EventwardError)) throw error
    return { table: tableName(definition.table), aggregate: definition.name, error }
  }
}
