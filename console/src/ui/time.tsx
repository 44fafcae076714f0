/** A relative time, such as “4 min ago”, with the exact time as its tooltip. */

import { useEffect, useState } from 'react'

import { freshFor, relative } from '../logic/times'
import { Hinted } from './hinted'

/** The current time, updated whenever the text for `at` changes. */
function useNow(at: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setTimeout(
      () => {
        setNow(Date.now())
      },
      freshFor(at, now),
    )
    return () => {
      clearTimeout(timer)
    }
  }, [at, now])
  return now
}

const EXACT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })

export function exact(at: string): string {
  return EXACT.format(new Date(at))
}

interface TimeProps {
  at: string | null | undefined
  /** Shown if there is no time. */
  none?: string
  /** Whether to leave out the focusable tooltip, in rows that can be focused themselves. */
  quiet?: boolean
}

export function Time({ at, none = '–', quiet = false }: TimeProps) {
  const millis = at ? Date.parse(at) : 0
  const now = useNow(millis)
  if (!at) return <span className="faint">{none}</span>
  const time = (
    <time className="time" dateTime={at} title={quiet ? exact(at) : undefined}>
      {relative(millis, now)}
    </time>
  )
  if (quiet) return time
  return (
    <Hinted hint={exact(at)} focusable>
      {time}
    </Hinted>
  )
}
