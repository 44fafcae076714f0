/** A job's log as lines: grows at its end, never changes before it, and can be searched. */

import { parseLine, plain, type Style } from './ansi.ts'

export interface Line {
  /** With its escapes. */
  raw: string
  /** What it says. */
  text: string
  /** What the lines before it have left on. */
  begin: Style
}

export interface Log {
  lines: readonly Line[]
  /** Where to go on: the byte behind what is here. */
  next: number
  complete: boolean
}

export const EMPTY_LOG: Log = { lines: [], next: 0, complete: false }

/** The log with more text. The last line may have been broken off in its middle. */
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

/** How many lines there are: the empty one behind the last line break is none. */
export function lineCount(log: Log): number {
  return log.lines.at(-1)?.raw === '' ? log.lines.length - 1 : log.lines.length
}

/** What is left of a line after its carriage returns: progress bars write over themselves. */
export function overwritten(raw: string): string {
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
  return line.slice(line.lastIndexOf('\r') + 1)
}

export interface Match {
  line: number
  start: number
  end: number
}

/** Where a text stands, whatever its case. */
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

/** The match after (or before) one, around the end. */
export function step(current: number, by: 1 | -1, total: number): number {
  return total === 0 ? 0 : (current + by + total) % total
}
