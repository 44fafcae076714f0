/** Search parameters of the URL: plain strings, so that `version=1.10` stays a string, and repeated keys for lists. */

export type RawSearch = Record<string, unknown>

/** Parses the query of a URL. A key that occurs twice becomes a list. */
export function parseSearch(text: string): RawSearch {
  const search: RawSearch = {}
  const pairs = new URLSearchParams(text)
  for (const key of new Set(pairs.keys())) {
    const values = pairs.getAll(key)
    search[key] = values.length === 1 ? values[0] : values
  }
  return search
}

/** Formats the query of a URL. Parameters that are not set are left out. */
export function stringifySearch(search: RawSearch): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    for (const each of values) if (typeof each === 'string' || typeof each === 'number') pairs.append(key, String(each))
  }
  const text = pairs.toString()
  return text ? `?${text}` : ''
}

/** The value if it is a string that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The value if it is one of these words. */
export function oneOf<T extends string>(value: unknown, words: readonly T[]): T | undefined {
  return words.find((word) => word === value)
}

/** The value as a list of strings; a single string becomes a list of one. */
export function texts(value: unknown): string[] | undefined {
  const values = (Array.isArray(value) ? value : [value]).filter((each): each is string => Boolean(text(each)))
  return values.length > 0 ? values : undefined
}
