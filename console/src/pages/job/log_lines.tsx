/** A virtualized list of log lines: only visible lines are drawn. */

import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef } from 'react'

import { classesOf, parseLine, type Run } from '../../logic/ansi'
import { overwritten, type Line, type Match } from '../../logic/log'
import { cutRuns } from '../../logic/log_marks'

const ROW = 19
/** A log that is scrolled this near to its end, in pixels, counts as scrolled to the end. */
const NEAR = 30

interface LogLinesProps {
  lines: readonly Line[]
  matches: Match[]
  current: number
  follow: boolean
  onFollow: (follow: boolean) => void
}

export function LogLines({ lines, matches, current, follow, onFollow }: LogLinesProps) {
  const frame = useRef<HTMLDivElement>(null)
  // Each scroll renders the rows again, so the compiler must not memoize this component.
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 20,
  })
  const match = matches[current]
  const byLine = useMemo(() => Map.groupBy(matches, ({ line }) => line), [matches])
  useEffect(() => {
    if (follow) rows.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follow, lines.length, rows])
  useEffect(() => {
    if (match) rows.scrollToIndex(match.line, { align: 'center' })
  }, [match, rows])
  const widest = useMemo(() => lines.reduce((most, { text }) => Math.max(most, text.length), 0), [lines])
  return (
    <div
      className="log"
      ref={frame}
      // A region that scrolls must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="log"
      aria-label="Log"
      aria-live="off"
      onScroll={() => {
        if (follow && !atEnd(frame.current)) onFollow(false)
      }}
    >
      <div className="log-body" style={{ height: rows.getTotalSize(), minWidth: `${widest + 8}ch` }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const line = lines[index]
          if (!line) return null
          return (
            <div className="log-line" key={index} style={{ transform: `translateY(${start}px)` }}>
              <span className="log-number" aria-hidden="true">
                {index + 1}
              </span>
              <LogLine line={line} marks={byLine.get(index)} current={match} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

function atEnd(frame: HTMLDivElement | null): boolean {
  return frame === null || frame.scrollHeight - frame.scrollTop - frame.clientHeight < NEAR
}

function LogLine({ line, marks = [], current }: { line: Line; marks?: Match[]; current: Match | undefined }) {
  const { runs } = parseLine(overwritten(line.raw), line.begin)
  return (
    <span className="log-text">
      {cutRuns(runs, marks).map((piece, at) => (
        <Piece
          key={at}
          run={piece.run}
          state={piece.mark ? (piece.mark === current ? 'current' : 'match') : undefined}
        />
      ))}
    </span>
  )
}

function Piece({ run, state }: { run: Run; state: 'current' | 'match' | undefined }) {
  const classes = classesOf(run.style)
  if (state) return <mark className={`${classes} ${state}`}>{run.text}</mark>
  return classes ? <span className={classes}>{run.text}</span> : run.text
}
