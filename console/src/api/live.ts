/** Live views: a long poll that goes on while a page shows something, slows down when hidden, and survives breaks. */

import { hashKey, useQuery, useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query'
import { useEffect } from 'react'

import { backoff, pause, seen } from '../logic/pauses'
import { hasStatus } from './problem'

const WAIT_SECONDS = 25
/** A server that does not hold polls answers at once: so often it is asked then. */
const SHORTEST_ROUND = 2_000
const HIDDEN_PAUSE = 60_000
const LONGEST_BACKOFF = 15_000

export interface Tagged<T> {
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
  /** Asks for it; `null` when nothing has changed. */
  ask: (poll: Poll) => Promise<Tagged<T> | null>
  /** Whether it will never change again. */
  over?: (body: T) => boolean
}

/** The query of a live thing, also for those who only want it once. */
export function liveQuery<T>(live: Live<T>) {
  return {
    queryKey: live.queryKey,
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Tagged<T>> => {
      const answer = await live.ask({ query: {}, headers: {}, signal })
      if (answer === null) throw new Error('an answer without a body')
      return answer
    },
  }
}

/** Something that is kept as new as the server has it. */
export function useLive<T>(live: Live<T>) {
  const client = useQueryClient()
  const query = useQuery({ ...liveQuery(live), select: (tagged) => tagged.body, staleTime: 1_000 })
  const key = hashKey(live.queryKey)
  const started = query.data !== undefined
  useEffect(() => {
    if (!started) return
    const stop = new AbortController()
    void follow(client, live, stop.signal)
    return () => {
      stop.abort()
    }
    // `live` is made anew by each render; its key says whether it is another one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, key, started])
  return query
}

/** Sets what a change has answered, so that nobody waits for the next poll to see it. */
export function setLive<T>(client: QueryClient, live: Live<T>, body: T): void {
  client.setQueryData<Tagged<T>>(live.queryKey, { body, etag: null })
}

async function follow<T>(client: QueryClient, live: Live<T>, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const known = client.getQueryData<Tagged<T>>(live.queryKey)
    if (known && live.over?.(known.body)) return
    const begun = performance.now()
    try {
      const next = await live.ask({ ...pollAfter(known), signal })
      failures = 0
      // What a change has set meanwhile is newer than what was asked before it.
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

function pollAfter<T>(known: Tagged<T> | undefined): Pick<Poll, 'query' | 'headers'> {
  if (!known?.etag) return { query: {}, headers: {} }
  return { query: { wait: WAIT_SECONDS }, headers: { 'if-none-match': known.etag } }
}
