/** Splits the runs of a line at the edges of matches, so that each piece has one style and is either marked or not. */

import type { Run } from './ansi.ts'
import type { Match } from './log.ts'

export interface Piece {
  run: Run
  mark: Match | null
}

export function cutRuns(runs: readonly Run[], marks: readonly Match[]): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const run of runs) {
    const end = at + run.text.length
    for (const [from, to] of pairs([at, ...edges(marks, at, end), end])) {
      const mark = marks.find((each) => each.start <= from && to <= each.end) ?? null
      pieces.push({ run: { ...run, text: run.text.slice(from - at, to - at) }, mark })
    }
    at = end
  }
  return pieces
}

/** The positions within a run where marks start or end. */
function edges(marks: readonly Match[], from: number, to: number): number[] {
  return marks.flatMap(({ start, end }) => [start, end]).filter((edge) => edge > from && edge < to)
}

function pairs(places: number[]): [number, number][] {
  return places.slice(1).map((to, index) => [places[index] ?? 0, to])
}
