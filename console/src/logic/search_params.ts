/** What stands in the URL: plain texts, so that `version=1.10` stays what it is, and repeated keys for lists. */

export type RawSearch = Record<string, unknown>

/** The query of a URL. A key that comes twice is a list. */
export function parseSearch(text: string): RawSearch {
  const search: RawSearch = {}
  const pairs = new URLSearchParams(text)
  for (const key of new Set(pairs.keys())) {
    const values = pairs.getAll(key)
    search[key] = values.length === 1 ? values[0] : values
  }
  return search
}

/** The URL's query for what is set. */
export function stringifySearch(search: RawSearch): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    for (const each of values) if (typeof each === 'string' || typeof each === 'number') pairs.append(key, String(each))
  }
  const text = pairs.toString()
  return text ? `?${text}` : ''
}

/** A text that says something. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** One of a few words; anything else is nothing. */
export function oneOf<T extends string>(value: unknown, words: readonly T[]): T | undefined {
  return words.find((word) => word === value)
}

/** A list of texts, also of one. */
export function texts(value: unknown): string[] | undefined {
  const values = (Array.isArray(value) ? value : [value]).filter((each): each is string => Boolean(text(each)))
  return values.length > 0 ? values : undefined
}
