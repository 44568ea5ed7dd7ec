import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../errors/index.js'
import { loadModule } from './load-module.js'

/**
 * Takes the PostgreSQL URL from a section of a knexfile: `./knexfile.ts#production`, relative to the configuration.
 * Without `#`: NODE_ENV, else development, as knex does; a file without sections is taken whole.
 *
 * @throws UsageError EW_KNEXFILE
 */
export async function knexConnection(
  reference: string,
  configPath: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [file = '', section = env['NODE_ENV'] || 'development'] = reference.split('#')
  const path = resolve(dirname(configPath), file)
  const refuse = (what: string, cause?: unknown): UsageError =>
    new UsageError('EW_KNEXFILE', `${reference}: ${what}`, {
      next: 'Correct `knexfile` in the configuration, or pass --url.',
      details: { file: path, section },
      cause,
    })
  if (!existsSync(path)) throw refuse('there is no such file')
  const exported = await loadModule(path).catch((cause: unknown) => {
    throw refuse(cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause), cause)
  })
  const settings = await resolved(exported)
  const environment = isObject(settings) && 'client' in settings ? settings : member(settings, section)
  if (!isObject(environment)) throw refuse(`there is no section ${JSON.stringify(section)}`)
  const url = urlOf(await resolved(environment['connection']))
  if (url === null) throw refuse('its connection is neither a URL nor an object')
  return url
}

/** knex takes functions for both the configuration and the connection. */
async function resolved(value: unknown): Promise<unknown> {
  return typeof value === 'function' ? ((await value()) as unknown) : value
}

function urlOf(connection: unknown): string | null {
  if (typeof connection === 'string') return connection
  if (!isObject(connection)) return null
  if (typeof connection['connectionString'] === 'string') return connection['connectionString']
  const part = (name: string) => encodeURIComponent(String(connection[name] ?? ''))
  const password = part('password') === '' ? '' : `:${part('password')}`
  const user = part('user') === '' ? '' : `${part('user')}${password}@`
  const port = part('port') === '' ? '' : `:${part('port')}`
  return `postgresql://${user}${part('host')}${port}/${part('database')}${sslMode(connection['ssl'])}`
}

/** Certificates can't travel in a URL; what can is whether the server's is checked. */
function sslMode(ssl: unknown): string {
  if (ssl === undefined || ssl === false || ssl === null) return ''
  return isObject(ssl) && ssl['rejectUnauthorized'] === false ? '?sslmode=no-verify' : '?sslmode=verify-full'
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
