import { constants } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Whether every folder on the way lets other users through: a server that root starts runs as another one. */
export async function othersReach(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & constants.S_IXOTH) === 0) return false
    if (dirname(at) === at) return true
  }
}
