/** Live views by long poll: a page polls while it is shown, slows down while it is hidden, and backs off after errors. */

import { hashKey, useQuery, useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query'
import { useEffect } from 'react'

import { backoff, pause, seen } from '../logic/pauses'
import { hasStatus } from './problem'

const WAIT_SECONDS = 25
/** The shortest time between two polls, for servers that do not hold long polls. */
const SHORTEST_ROUND = 2_000
const HIDDEN_PAUSE = 60_000
const LONGEST_BACKOFF = 15_000

export interface WithEtag<T> {
  body: T
  etag: string | null
}

export interface Poll {
  query: { wait?: number }
  headers: Record<string, string>
  signal: AbortSignal
}

export interface Live<T> {
  queryKey: QueryKey
  /** Sends the request; `null` if nothing has changed. */
  ask: (poll: Poll) => Promise<WithEtag<T> | null>
  /** Whether the resource will never change again. */
  over?: (body: T) => boolean
}

/** The query for a live resource. Components that do not need updates can use it directly. */
export function liveQuery<T>(live: Live<T>) {
  return {
    queryKey: live.queryKey,
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<WithEtag<T>> => {
      const answer = await live.ask({ query: {}, headers: {}, signal })
      if (answer === null) throw new Error('The server answered without a body.')
      return answer
    },
  }
}

/** A resource that stays up to date by long poll. */
export function useLive<T>(live: Live<T>) {
  const client = useQueryClient()
  const query = useQuery({ ...liveQuery(live), select: (answer) => answer.body, staleTime: 1_000 })
  const key = hashKey(live.queryKey)
  const started = query.data !== undefined
  useEffect(() => {
    if (!started) return
    const stop = new AbortController()
    void follow(client, live, stop.signal)
    return () => {
      stop.abort()
    }
    // Each render creates a new `live`; only its key tells whether the resource is another one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, key, started])
  return query
}

/** Stores the answer to a change, so that the page shows it before the next poll. */
export function setLive<T>(client: QueryClient, live: Live<T>, body: T): void {
  client.setQueryData<WithEtag<T>>(live.queryKey, { body, etag: null })
}

async function follow<T>(client: QueryClient, live: Live<T>, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const known = client.getQueryData<WithEtag<T>>(live.queryKey)
    if (known && live.over?.(known.body)) return
    const begun = performance.now()
    try {
      const next = await live.ask({ ...pollAfter(known), signal })
      failures = 0
      // If a change has stored its answer meanwhile, that answer is newer than this one.
      if (next && client.getQueryData(live.queryKey) === known) client.setQueryData(live.queryKey, next)
      await pause(SHORTEST_ROUND - (performance.now() - begun), signal)
    } catch (error) {
      if (hasStatus(error, 401, 403, 404)) {
        await client.invalidateQueries({ queryKey: live.queryKey, exact: true })
        return
      }
      await pause(backoff(++failures, LONGEST_BACKOFF), signal)
    }
    await seen(HIDDEN_PAUSE, signal)
  }
}

function pollAfter<T>(known: WithEtag<T> | undefined): Pick<Poll, 'query' | 'headers'> {
  if (!known?.etag) return { query: {}, headers: {} }
  return { query: { wait: WAIT_SECONDS }, headers: { 'if-none-match': known.etag } }
}
