/** Formats and parses durations and relative times for people. */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `12 s`, `4 min`, `3 h`, `5 d`: one unit, rounded down. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)} h`
  return `${Math.floor(whole / DAY)} d`
}

/** `4 min 12 s`: up to two units. */
export function exactSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return two(Math.floor(whole / MINUTE), 'min', whole % MINUTE, 's')
  if (whole < DAY) return two(Math.floor(whole / HOUR), 'h', Math.floor((whole % HOUR) / MINUTE), 'min')
  return two(Math.floor(whole / DAY), 'd', Math.floor((whole % DAY) / HOUR), 'h')
}

function two(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

/** `4 min ago`, `in 3 h`, `now`. */
export function relative(at: number, now: number): string {
  const seconds = (now - at) / 1_000
  if (Math.abs(seconds) < 5) return 'now'
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`
}

/** After how many milliseconds the text of `relative` changes. */
export function freshFor(at: number, now: number): number {
  const seconds = Math.abs(now - at) / 1_000
  if (seconds < MINUTE) return 1_000
  return seconds < HOUR ? 10_000 : 60_000
}

/** Parses `90`, `15m`, `2h` or `7d` into seconds; `null` if the text is not a duration. */
export function parseSpan(text: string): number | null {
  const found = /^\s*(\d{1,9})\s*(s|m|min|h|d)?\s*$/.exec(text)
  if (!found) return null
  const units: Record<string, number> = { s: 1, m: MINUTE, min: MINUTE, h: HOUR, d: DAY }
  return Number(found[1]) * (units[found[2] ?? 's'] ?? 1)
}
