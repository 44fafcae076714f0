/** The state of the connection, in the query cache. While the server cannot be reached, this module retries with backoff. */

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { backoff, pause } from '../logic/pauses'
import { api, connectionKey, type Connection } from './client'

/** Whether the server is unreachable. Retries meanwhile, and reloads all data once the server answers again. */
export function useConnection(): Connection {
  const client = useQueryClient()
  const { data } = useQuery<Connection>({
    queryKey: connectionKey,
    queryFn: () => ({ down: false }),
    staleTime: Infinity,
    gcTime: Infinity,
  })
  const down = data?.down ?? false
  useEffect(() => {
    if (!down) return
    const stop = new AbortController()
    void untilBack(stop.signal)
    return () => {
      stop.abort()
      void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== connectionKey[0] })
    }
  }, [client, down])
  return { down }
}

async function untilBack(signal: AbortSignal): Promise<void> {
  for (let tries = 1; !signal.aborted; tries++) {
    await pause(backoff(tries, 10_000), signal)
    // The API client records whether the server answered.
    await api.GET('/api/v1/version', { signal }).catch(() => null)
  }
}
