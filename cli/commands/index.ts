/** All commands, in the order in which help lists them. */
import type { Command } from '../command.js'
import { adopt } from './adopt.js'
import { backfill } from './backfill.js'
import { capture } from './capture.js'
import { cutover } from './cutover.js'
import { demo } from './demo.js'
import { doctor } from './doctor.js'
import { explain } from './explain.js'
import { exportCommand } from './export.js'
import { generate } from './generate.js'
import { history } from './history.js'
import { importCommand } from './import.js'
import { init } from './init.js'
import { lint } from './lint.js'
import { migrate } from './migrate.js'
import { plan } from './plan.js'
import { replay } from './replay.js'
import { runs } from './runs.js'
import { show } from './show.js'
import { status } from './status.js'
import { timeMachine } from './time-machine.js'
import { verify } from './verify.js'
import { work } from './work.js'

export const COMMANDS: readonly Command[] = [
  demo,
  init,
  generate,
  doctor,
  migrate,
  plan,
  explain,
  lint,
  capture,
  backfill,
  verify,
  cutover,
  adopt,
  status,
  runs,
  history,
  show,
  timeMachine,
  replay,
  work,
  exportCommand,
  importCommand,
]
