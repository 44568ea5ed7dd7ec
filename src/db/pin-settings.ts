import { literal, type Query } from '../sql/index.js'
import { NEWER_SETTINGS, SESSION_SETTINGS } from './session-settings.js'

/**
 * One statement that pins every setting of a session.
 *
 * `set_config` in a select, because one round trip sets them all and because the startup packet's `options` is the
 * user's (PGOPTIONS). Every function is written with its schema: search_path is not ours before this has run.
 */
export function pinSettings(applicationName: string): Query {
  const settings = { ...SESSION_SETTINGS, application_name: applicationName }
  const always = Object.entries(settings).map(([name, value]) => setConfig(name, value))
  const newer = Object.entries(NEWER_SETTINGS).map(
    ([name, value]) =>
      `case when pg_catalog.current_setting(${literal(name)}, true) is not null then ${setConfig(name, value)} end`,
  )
  return { text: `select ${[...always, ...newer].join(',\n  ')}`, values: [] }
}

function setConfig(name: string, value: string): string {
  return `pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`
}
