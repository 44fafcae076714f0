/** A job log as lines: append-only and searchable. */

import { parseLine, plain, type Style } from './ansi.ts'

export interface Line {
  /** The line with its escape sequences. */
  raw: string
  /** The line without escape sequences. */
  text: string
  /** The style that the lines before it leave on. */
  begin: Style
}

export interface Log {
  lines: readonly Line[]
  /** The position after the last line, in bytes: where the next part starts. */
  next: number
  complete: boolean
  /** Why it is not kept any more, if it is not. */
  gone?: string | null
}

export const EMPTY_LOG: Log = { lines: [], next: 0, complete: false }

/** Appends text to the log. The last line may have been incomplete. */
export function append(log: Log, text: string, next: number, complete: boolean): Log {
  if (text === '') return { ...log, next, complete }
  const last = log.lines.at(-1)
  const lines = log.lines.slice(0, -1)
  let begin: Style = last?.begin ?? {}
  for (const raw of ((last?.raw ?? '') + text).split('\n')) {
    lines.push({ raw, text: plain(overwritten(raw)), begin })
    begin = parseLine(raw, begin).end
  }
  return { lines, next, complete }
}

/** The number of lines, without the empty one after the last line break. */
export function lineCount(log: Log): number {
  return log.lines.at(-1)?.raw === '' ? log.lines.length - 1 : log.lines.length
}

/** The visible part of a line with carriage returns, with which progress bars overwrite themselves. */
export function overwritten(raw: string): string {
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
  return line.slice(line.lastIndexOf('\r') + 1)
}

export interface Match {
  line: number
  start: number
  end: number
}

/** Finds a text, ignoring case. */
export function search(lines: readonly Line[], wanted: string): Match[] {
  const needle = wanted.toLowerCase()
  if (needle === '') return []
  const matches: Match[] = []
  lines.forEach(({ text }, line) => {
    const hay = text.toLowerCase()
    for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
      matches.push({ line, start: at, end: at + needle.length })
    }
  })
  return matches
}

/** The index of the next or the previous match, wrapping around. */
export function step(current: number, by: 1 | -1, total: number): number {
  return total === 0 ? 0 : (current + by + total) % total
}
