/**
 * The stream of a row: the canonical text of a key of one column; for more, a JSON array of their texts in key order,
 * as JSON.stringify writes it.
 */
export function streamId(key: readonly string[]): string {
  const [first] = key
  return key.length === 1 && first !== undefined ? first : JSON.stringify(key)
}

/**
 * The key's texts from a stream's id, or null where the id is not one of a key of `length` columns.
 */
export function keyOfStream(id: string, length: number): readonly string[] | null {
  if (length === 1) return [id]
  const parsed = parseArray(id)
  return parsed !== null && parsed.length === length ? parsed : null
}

function parseArray(id: string): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(id)
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : null
  } catch {
    return null // not JSON: a corrupt id, which the caller reports
  }
}
