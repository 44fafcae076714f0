/** A time as people say it, with the exact one on hover and focus. */

import { useEffect, useState } from 'react'

import { freshFor, relative } from '../logic/times'
import { Hinted } from './hinted'

/** Now, as far as a time from `at` reads differently. */
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
  /** What stands there when there is no time. */
  none?: string
  /** In rows that have a focus of their own. */
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
