import { spawn, spawnSync } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'

const DIRECTORY = fileURLToPath(new URL('../../../shared/data/', import.meta.url))

/** False where the dumps or psql are absent: `describe.skipIf(!dumpsAvailable)('chinook (needs ../shared/data and psql)')`. */
export const dumpsAvailable: boolean =
  existsSync(DIRECTORY) && spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0

/** Loads `<name>.sql.gz` of ../shared/data by psql, stopping at the first error. */
export async function loadDump(
  url: string,
  name: 'chinook' | 'world' | 'pagila-schema' | 'pagila-data',
): Promise<void> {
  const psql = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const errors: Buffer[] = []
  psql.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const ended = new Promise<number | null>((resolve, reject) => {
    psql.once('error', reject)
    psql.once('close', resolve)
  })
  // A psql that stops early closes its input; its exit status then tells.
  await pipeline(createReadStream(`${DIRECTORY}${name}.sql.gz`), createGunzip(), psql.stdin).catch(
    () => undefined,
  )
  if ((await ended) !== 0) throw new Error(`psql could not load ${name}: ${Buffer.concat(errors).toString()}`)
}
