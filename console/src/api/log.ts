/** Job logs by long poll: each poll reads on from the last byte in the query cache. */

import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { append, EMPTY_LOG, type Log } from '../logic/log'
import { backoff, pause, seen } from '../logic/pauses'
import { logAfter } from './jobs'
import { hasStatus } from './problem'

const WAIT_SECONDS = 25
/** The shortest time between two polls, for servers that do not hold long polls. */
const SHORTEST_ROUND = 1_000
const HIDDEN_PAUSE = 60_000
const LONGEST_BACKOFF = 10_000

const logKey = (id: string) => ['job', id, 'log']

/** The log of a job. It grows by itself until it is complete. */
export function useLog(id: string) {
  const client = useQueryClient()
  const query = useQuery({
    queryKey: logKey(id),
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<Log>(logKey(id)) ?? EMPTY_LOG
      return known.complete ? known : grown(known, await logAfter(id, known.next, 0, signal))
    },
    staleTime: Infinity,
    gcTime: 60_000,
  })
  const started = query.data !== undefined
  useEffect(() => {
    if (!started) return
    const stop = new AbortController()
    void follow(client, id, stop.signal)
    return () => {
      stop.abort()
    }
  }, [client, id, started])
  return query
}

function grown(log: Log, { text, next, complete, gone }: Awaited<ReturnType<typeof logAfter>>): Log {
  return { ...append(log, text, next, complete), gone }
}

async function follow(client: QueryClient, id: string, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const known = client.getQueryData<Log>(logKey(id))
    if (!known || known.complete) return
    const begun = performance.now()
    try {
      const part = await logAfter(id, known.next, WAIT_SECONDS, signal)
      failures = 0
      // The part must continue the log in the cache: a reload may have read it already.
      if (client.getQueryData<Log>(logKey(id))?.next === known.next) client.setQueryData(logKey(id), grown(known, part))
      if (part.text === '') await pause(SHORTEST_ROUND - (performance.now() - begun), signal)
    } catch (error) {
      if (hasStatus(error, 401, 403, 404)) return
      await pause(backoff(++failures, LONGEST_BACKOFF), signal)
    }
    await seen(HIDDEN_PAUSE, signal)
  }
}
