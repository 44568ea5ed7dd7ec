/**
 * Takes passwords out of a text for people or scripts: those of any URL in it, and the ones given.
 *
 * @param secrets passwords that are known, such as PGPASSWORD; those of fewer than 3 characters are left alone, since
 * they would take innocent letters away.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  // `user:password` is what our own advice writes.
  const withoutUrls = text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*):(?!password@)[^\s"']*@/gi, '$1:***@')
  return secrets
    .filter((secret) => secret.length > 2)
    .reduce((cleaned, secret) => cleaned.replaceAll(secret, '***'), withoutUrls)
}

/** The passwords in what we were given: a URL's, decoded or not, and PGPASSWORD. */
export function secretsOf(
  urls: readonly (string | undefined)[],
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const found = urls.flatMap((url) => {
    const written = /^[a-z]+:\/\/[^:/@]*:([^/]*)@/i.exec(url ?? '')?.[1]
    return written === undefined ? [] : [written, decoded(written)]
  })
  return [...found, env['PGPASSWORD'] ?? ''].filter((secret) => secret !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // written with a bare %: then it's the password as it stands
  }
}
