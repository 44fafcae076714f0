/** ANSI escape sequences: the colors and styles of a log as plain data. All other sequences are removed. */

export interface Style {
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  inverse?: boolean
  /** The color, from 0 to 15 as terminals number them. Other colors are ignored. */
  foreground?: number
  background?: number
}

export interface Run {
  text: string
  style: Style
}

// CSI sequences (ESC [ … final byte), OSC sequences (ESC ] … BEL or ESC \), and two-byte escapes.
// eslint-disable-next-line no-control-regex
const ESCAPE = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]?/g
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g

/** Splits a line into runs of one style each. `end` is the style in which the next line starts. */
export function parseLine(line: string, begin: Style): { runs: Run[]; end: Style } {
  const runs: Run[] = []
  let style = begin
  let at = 0
  for (const found of line.matchAll(ESCAPE)) {
    push(runs, line.slice(at, found.index), style)
    if (found[2] === 'm') style = select(style, found[1] ?? '')
    at = found.index + found[0].length
  }
  push(runs, line.slice(at), style)
  return { runs, end: style }
}

function push(runs: Run[], raw: string, style: Style): void {
  const text = raw.replace(CONTROLS, '')
  if (text) runs.push({ text, style })
}

/** The text of a line, without escape sequences. */
export function plain(line: string): string {
  return line.replace(ESCAPE, '').replace(CONTROLS, '')
}

/** The style after an `SGR` sequence. */
function select(style: Style, parameters: string): Style {
  let next = { ...style }
  const codes = parameters.split(/[;:]/).map(Number)
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code === 0) next = {}
    else if (code === 38 || code === 48)
      at += extended(next, code === 38 ? 'foreground' : 'background', codes.slice(at + 1))
    else Object.assign(next, simple(code))
  }
  return next
}

function simple(code: number): Style {
  if (code === 1) return { bold: true }
  if (code === 2) return { dim: true }
  if (code === 3) return { italic: true }
  if (code === 4) return { underline: true }
  if (code === 7) return { inverse: true }
  if (code === 22) return { bold: undefined, dim: undefined }
  if (code === 23) return { italic: undefined }
  if (code === 24) return { underline: undefined }
  if (code === 27) return { inverse: undefined }
  if (code === 39) return { foreground: undefined }
  if (code === 49) return { background: undefined }
  if (code >= 30 && code <= 37) return { foreground: code - 30 }
  if (code >= 90 && code <= 97) return { foreground: code - 82 }
  if (code >= 40 && code <= 47) return { background: code - 40 }
  if (code >= 100 && code <= 107) return { background: code - 92 }
  return {}
}

/** Reads `38;5;n` and `38;2;r;g;b`. Only the sixteen named colors are kept. Returns the number of arguments. */
function extended(style: Style, side: 'foreground' | 'background', rest: number[]): number {
  if (rest[0] === 2) return 4
  if (rest[0] !== 5) return 0
  const color = rest[1] ?? 16
  if (color < 16) style[side] = color
  return 2
}

/** The CSS classes of a style; log.css defines them. */
export function classesOf(style: Style): string {
  const words = (['bold', 'dim', 'italic', 'underline', 'inverse'] as const).filter((word) => style[word])
  const names: string[] = words.map((word) => `ansi-${word}`)
  if (style.foreground !== undefined) names.push(`ansi-${style.foreground}`)
  if (style.background !== undefined) names.push(`ansi-on-${style.background}`)
  return names.join(' ')
}
